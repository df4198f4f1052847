# kinglet-embed from Python with the package wasmtime: classify.py KINGLET-EMBED.wasm MODEL.kgl WIDTH HEIGHT PIXELS.rgb
# Prints the five best indices and their scores.
import struct
import sys
import wasmtime

module_file, model_file, width, height, pixels_file = sys.argv[1:]
engine = wasmtime.Engine()
store = wasmtime.Store(engine)
exports = wasmtime.Instance(store, wasmtime.Module.from_file(engine, module_file), []).exports(store)
memory = exports["memory"]


def call(name, *words):
    """Negative: minus an exit code of docs/errors.md, with a sentence in kgl_error."""
    result = exports[name](store, *words)
    if result < 0:
        at = exports["kgl_alloc"](store, 512)
        length = exports["kgl_error"](store, at, 512)
        sys.exit(bytes(memory.read(store, at, at + length)).decode())
    return result


def put(data):
    at = call("kgl_alloc", len(data))
    memory.write(store, data, at)
    return at


exports["_initialize"](store)
model = open(model_file, "rb").read()
handle = call("kgl_load", put(model), len(model), 1)
picture = put(open(pixels_file, "rb").read())
call("kgl_preprocess", handle, 0, picture, int(width), int(height), int(width) * 3, 3)
before = memory.size(store)
call("kgl_run", handle)
assert memory.size(store) == before
answer = call("kgl_alloc", 5 * 8)
found = call("kgl_topk", handle, 0, 5, answer)
for index, score in struct.iter_unpack("<if", bytes(memory.read(store, answer, answer + 8 * found))):
    print(index, f"{score:.4f}")
