# kinglet-embed from Python, with the package wasmtime: classify.py MODULE.wasm MODEL.kgl INPUT [OUTPUT]
# In: kinglet-embed and a plan, or a bundle and "-"; a picture (binary PPM), or the bytes of input 0 as they are.
# Out: the five best indices of output 0 and their scores, one pair a line; in the file OUTPUT, the bytes of output 0.
import re
import struct
import sys

import wasmtime

RGB8 = 3  # kgl_preprocess: three bytes a pixel
OWN = 1  # kgl_load: the block is the model's from now on
TOP = 5
SCRATCH_BYTES = 512


class Kinglet:
    def __init__(self, module_file):
        engine = wasmtime.Engine()
        self.store = wasmtime.Store(engine)
        self.exports = wasmtime.Instance(self.store, wasmtime.Module.from_file(engine, module_file), []).exports(self.store)
        self.memory = self.exports["memory"]
        self.exports["_initialize"](self.store)
        self.scratch = self.address("kgl_alloc", SCRATCH_BYTES)

    def call(self, name, *words):
        """An export that answers with a number; a negative one is minus an exit code."""
        answer = self.exports[name](self.store, *words)
        return answer if answer >= 0 else self.fail()

    def address(self, name, *words):
        """An export that answers with an address, which has no sign; 0 is a failure."""
        return self.exports[name](self.store, *words) & 0xFFFFFFFF or self.fail()

    def fail(self):
        length = self.exports["kgl_error"](self.store, self.scratch, SCRATCH_BYTES)
        raise RuntimeError(self.read(self.scratch, length).decode())

    def put(self, data):
        address = self.address("kgl_alloc", len(data))
        self.memory.write(self.store, data, address)
        return address

    def read(self, address, length):
        return bytes(self.memory.read(self.store, address, address + length))

    def tensor(self, name, handle):
        """Address and length of the first input or output: the first two words of its descriptor."""
        return struct.unpack("<2I", self.read(self.address(name, handle, 0), 8))


def main(module_file, model_file, input_file, output_file=None):
    kinglet = Kinglet(module_file)
    if model_file == "-":
        handle = kinglet.call("kgl_load", 0, 0, 0)
    else:
        plan = open(model_file, "rb").read()
        handle = kinglet.call("kgl_load", kinglet.put(plan), len(plan), OWN)

    data = open(input_file, "rb").read()
    address, length = kinglet.tensor("kgl_input", handle)
    picture = re.match(rb"P6\s+(\d{1,5})\s+(\d{1,5})\s+255\s", data)
    if picture and len(data) - picture.end() == int(picture[1]) * int(picture[2]) * 3:
        width, height = int(picture[1]), int(picture[2])
        kinglet.call("kgl_preprocess", handle, 0, kinglet.put(data[picture.end():]), width, height, width * 3, RGB8)
    elif len(data) == length:
        kinglet.memory.write(kinglet.store, data, address)
    else:
        raise ValueError(f"{input_file} is neither a PPM picture nor a tensor of {length} bytes")
    kinglet.call("kgl_run", handle)

    found = kinglet.call("kgl_topk", handle, 0, TOP, kinglet.scratch)
    for index, score in struct.iter_unpack("<if", kinglet.read(kinglet.scratch, found * 8)):
        print(index, f"{score:.4f}")
    if output_file:
        open(output_file, "wb").write(kinglet.read(*kinglet.tensor("kgl_output", handle)))


if len(sys.argv) not in (4, 5):
    sys.exit("classify.py MODULE.wasm MODEL.kgl|- INPUT [OUTPUT]")
try:
    main(*sys.argv[1:])
except (OSError, RuntimeError, ValueError, wasmtime.WasmtimeError, wasmtime.Trap) as failure:
    sys.exit(f"classify: {failure}")
