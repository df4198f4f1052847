// What is compared with what, and the bounds that the project promised itself.
// In: nothing. Out: `models` (one table section each) and `bounds` (checked against the measured rows).

/**
 * `file`: a name in the models folder, or, where `zoo` names a network of models/, what it is written to. `chromium`, `node`: rivals
 * there. `twoThreads`: a bound says what a second thread must bring. `quick`: part of --quick. `coldProfiles`: fresh browser starts.
 */
export const models = [
  { id: 'mobilenet_v2 f32 tflite', file: 'mobilenet_v2_1.0_224_imagenet_f32.tflite', chromium: ['litert'], node: ['tfjs'], quick: true, coldProfiles: 10, twoThreads: true },
  { id: 'mobilenet_v2 uint8', file: 'mobilenet_v2_1.0_224_quant.tflite', chromium: ['litert'], node: [], quick: true, coldProfiles: 10, twoThreads: true },
  { id: 'mobilenet_v1 0.25/128 uint8', file: 'mobilenet_v1_0.25_128_quant.tflite', chromium: ['litert'], node: [], quick: true, coldProfiles: 1 },
  { id: 'mobilenet_v2 f32 onnx', file: 'mobilenet_v2_1.0_224_imagenet_f32.onnx', chromium: ['ort'], node: ['ort'], quick: true, coldProfiles: 10 },
  { id: 'mobilenet_v3 small', file: 'torchvision_mobilenet_v3_small.onnx', chromium: ['ort'], node: ['ort'], coldProfiles: 3 },
  { id: 'shufflenet_v2 x1.0', file: 'torchvision_shufflenet_v2_x1_0.onnx', chromium: ['ort'], node: ['ort'], coldProfiles: 3 },
  { id: 'mobilenet_v1', file: 'mobilenet_v1_random.onnx', chromium: ['ort'], node: ['ort'], coldProfiles: 3 },
  { id: 'squeezenet 1.1', file: 'torchvision_squeezenet1_1.onnx', chromium: ['ort'], node: ['ort'], coldProfiles: 3 },
  { id: 'nanodet plus m 320', file: 'nanodet_plus_m_320.onnx', chromium: ['ort'], node: ['ort'], coldProfiles: 3 },
  { id: 'RFB-320', file: 'version-RFB-320.onnx', chromium: ['ort'], node: ['ort'], coldProfiles: 3 },
  { id: 'resnet18', zoo: 'resnet18', file: 'resnet18.onnx', chromium: ['ort'], node: ['ort'], coldProfiles: 1 },
  { id: 'mobilenet_v1 0.25/128 qdq', file: 'qdq_mobilenet_v1_0.25_128.onnx', chromium: ['ort'], node: ['ort'], coldProfiles: 1 },
  { id: 'person_detect int8', file: 'person_detect.tflite', chromium: ['litert'], node: [], coldProfiles: 1 },
  { id: 'kws int8', file: 'mlperf_tiny_kws_ref_model.tflite', chromium: ['litert'], node: [], coldProfiles: 1 },
];

/** The networks that run a million times without leaving anything behind. */
export const soakModels = ['mlperf_tiny_kws_ref_model.tflite', 'person_detect.tflite'];

export const engineTitles = {
  'kinglet relaxed': 'kinglet, relaxed SIMD', 'kinglet simd128': 'kinglet, simd128', 'kinglet-webgpu': 'kinglet, WebGPU', ort: 'onnxruntime-web', litert: 'LiteRT.js',
  tfjs: 'tfjs-backend-wasm (other weights)', transfer: 'no engine: the plan arrives',
};

const litert = [['mobilenet_v2 f32 tflite', 0.68, 0.60], ['mobilenet_v2 uint8', 0.40, 0.28], ['mobilenet_v1 0.25/128 uint8', 0.60]];
const ort = [
  ['mobilenet_v2 f32 onnx', 0.50], ['mobilenet_v3 small', 0.50], ['shufflenet_v2 x1.0', 0.50], ['mobilenet_v1', 0.55],
  ['squeezenet 1.1', 0.55], ['nanodet plus m 320', 0.60], ['RFB-320', 0.60],
  ['resnet18', 0.50],
];

/** kinglet's time divided by the rival's. */
export const ratioBounds = [
  ...litert.map(([model, atMost, goal]) => ({ model, where: 'chromium', rival: 'litert', engine: 'kinglet relaxed', atMost, goal })),
  ...ort.flatMap(([model, atMost]) => ['chromium', 'node'].flatMap((where) => [
    { model, where, rival: 'ort', engine: 'kinglet relaxed', atMost }, { model, where, rival: 'ort', engine: 'kinglet simd128', atMost: 0.62 },
  ])),
];
/** Share of the peak that the same process reaches with operands in registers. */
export const peakBounds = [
  { model: 'mobilenet_v2 f32 tflite', engine: 'kinglet relaxed', atLeast: 0.80 },
  { model: 'mobilenet_v2 uint8', engine: 'kinglet relaxed', atLeast: 0.50 },
];
/** What a second thread brings, as a share of what it brings to the register-only peak in the same window; time beside LiteRT.js's two. */
export const threadBounds = [
  { model: 'mobilenet_v2 f32 tflite', atLeast: 0.86, rival: 'litert', atMost: 0.68 },
  { model: 'mobilenet_v2 uint8', atLeast: 0.80, rival: 'litert', atMost: 0.45 },
];
/** Windows in which a second core brought the peak less than this say nothing about threads. */
export const LEAST_PEAK_SPEEDUP = 1.8;
/** First result from a plan divided by the faster rival's first result from the source file. */
export const coldBounds = [{ model: 'mobilenet_v2 f32 tflite', atMost: 0.25 }, { model: 'mobilenet_v2 uint8', atMost: 0.25 }];
