// kinglet-embed from Go, with wazero: classify MODULE.wasm MODEL.kgl INPUT [OUTPUT]
// In: kinglet-embed and a plan, or a bundle and "-"; a picture (binary PPM), or the bytes of input 0 as they are.
// Out: the five best indices of output 0 and their scores, one pair a line; in the file OUTPUT, the bytes of output 0.
package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

const (
	rgb8         = 3 // kgl_preprocess: three bytes a pixel
	own          = 1 // kgl_load: the block is the model's from now on
	top          = 5
	scratchBytes = 512
)

type kinglet struct {
	ctx     context.Context
	module  api.Module
	scratch uint32
}

func open(ctx context.Context, runtime wazero.Runtime, file string) *kinglet {
	config := wazero.NewModuleConfig().WithStartFunctions("_initialize")
	k := &kinglet{ctx: ctx, module: must(runtime.InstantiateWithConfig(ctx, must(os.ReadFile(file)), config))}
	k.scratch = k.address("kgl_alloc", scratchBytes)
	return k
}

// invoke calls an export of integers; an engine's own failure ends the program.
func (k *kinglet) invoke(name string, words ...uint32) uint32 {
	wide := make([]uint64, len(words))
	for i, word := range words {
		wide[i] = uint64(word)
	}
	return uint32(must(k.module.ExportedFunction(name).Call(k.ctx, wide...))[0])
}

// call is for exports that answer with a number; a negative one is minus an exit code.
func (k *kinglet) call(name string, words ...uint32) uint32 {
	answer := k.invoke(name, words...)
	if int32(answer) < 0 {
		k.fail()
	}
	return answer
}

// address is for exports that answer with an address; 0 is a failure.
func (k *kinglet) address(name string, words ...uint32) uint32 {
	answer := k.invoke(name, words...)
	if answer == 0 {
		k.fail()
	}
	return answer
}

func (k *kinglet) fail() {
	end(errors.New(string(k.read(k.scratch, k.invoke("kgl_error", k.scratch, scratchBytes)))))
}

func (k *kinglet) put(data []byte) uint32 {
	address := k.address("kgl_alloc", uint32(len(data)))
	k.module.Memory().Write(address, data)
	return address
}

// read gives a view, valid until the memory grows.
func (k *kinglet) read(address, length uint32) []byte {
	view, _ := k.module.Memory().Read(address, length)
	return view
}

// tensor gives address and length of the first input or output: the first two words of its descriptor.
func (k *kinglet) tensor(name string, handle uint32) (address, length uint32) {
	words := k.read(k.address(name, handle, 0), 8)
	return binary.LittleEndian.Uint32(words), binary.LittleEndian.Uint32(words[4:])
}

func (k *kinglet) load(file string) uint32 {
	if file == "-" {
		return k.call("kgl_load", 0, 0, 0)
	}
	plan := must(os.ReadFile(file))
	return k.call("kgl_load", k.put(plan), uint32(len(plan)), own)
}

func (k *kinglet) fill(handle uint32, file string) {
	data := must(os.ReadFile(file))
	address, length := k.tensor("kgl_input", handle)
	if width, height, pixels := picture(data); pixels != nil {
		k.call("kgl_preprocess", handle, 0, k.put(pixels), width, height, width*3, rgb8)
	} else if len(data) == int(length) {
		k.module.Memory().Write(address, data)
	} else {
		end(fmt.Errorf("%s is neither a PPM picture nor a tensor of %d bytes", file, length))
	}
}

// picture finds the pixels of a PPM; nil where the file is none.
func picture(data []byte) (width, height uint32, pixels []byte) {
	reader := bytes.NewReader(data)
	var mark string
	var most int
	if _, err := fmt.Fscan(reader, &mark, &width, &height, &most); err != nil || mark != "P6" || most != 255 || width > 99999 || height > 99999 {
		return 0, 0, nil
	}
	reader.ReadByte() // one white space ends the head
	if pixels = data[len(data)-reader.Len():]; len(pixels) != int(width)*int(height)*3 {
		return 0, 0, nil
	}
	return width, height, pixels
}

func main() {
	if len(os.Args) != 4 && len(os.Args) != 5 {
		end(errors.New("usage: MODULE.wasm MODEL.kgl|- INPUT [OUTPUT]"))
	}
	ctx := context.Background()
	k := open(ctx, wazero.NewRuntime(ctx), os.Args[1])
	handle := k.load(os.Args[2])
	k.fill(handle, os.Args[3])
	k.call("kgl_run", handle)
	best := k.read(k.scratch, 8*k.call("kgl_topk", handle, 0, top, k.scratch))
	for ; len(best) > 0; best = best[8:] {
		score := math.Float32frombits(binary.LittleEndian.Uint32(best[4:]))
		fmt.Printf("%d %.4f\n", binary.LittleEndian.Uint32(best), score)
	}
	if len(os.Args) == 5 {
		address, length := k.tensor("kgl_output", handle)
		must(0, os.WriteFile(os.Args[4], k.read(address, length), 0o666))
	}
}

func must[T any](value T, err error) T {
	if err != nil {
		end(err)
	}
	return value
}

func end(err error) {
	fmt.Fprintln(os.Stderr, "classify:", err)
	os.Exit(1)
}
