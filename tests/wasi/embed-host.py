# kinglet-embed in wasmtime, driven by lines on stdin, one answer a line: what tests/wasi/embed-hosts.ts says. embed-host.py MODULE.wasm
import sys
import wasmtime

engine = wasmtime.Engine()
store = wasmtime.Store(engine)
exports = wasmtime.Instance(store, wasmtime.Module.from_file(engine, sys.argv[1]), []).exports(store)
memory = exports["memory"]


def call(name, *words):
    return exports[name](store, *map(int, words)) or 0


def repeat(count, name, *words):
    function, words = exports[name], [int(word) for word in words]
    return next((answer for answer in (function(store, *words) for _ in range(int(count))) if answer != 0), 0)


def write(address, file):
    memory.write(store, open(file, "rb").read(), int(address))
    return 0


def read(address, length, file):
    open(file, "wb").write(memory.read(store, int(address), int(address) + int(length)))
    return 0


def pages():
    return memory.size(store)


for line in sys.stdin:
    verb, *words = line.split()
    try:
        answer = {"call": call, "repeat": repeat, "write": write, "read": read, "pages": pages}[verb](*words)
    except (wasmtime.Trap, wasmtime.WasmtimeError) as trap:
        answer = "trap " + str(trap).replace("\n", " ")
    print(answer, flush=True)
