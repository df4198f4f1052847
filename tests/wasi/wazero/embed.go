// kinglet-embed in wazero, driven by lines on stdin, one answer a line: what tests/wasi/embed-hosts.ts says. wazero-run --embed MODULE.wasm
package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

type embedHost struct {
	ctx    context.Context
	module api.Module
}

func serveEmbed(file string) error {
	ctx := context.Background()
	program, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	module, err := wazero.NewRuntime(ctx).InstantiateWithConfig(ctx, program, wazero.NewModuleConfig().WithStartFunctions())
	if err != nil {
		return err
	}
	host := embedHost{ctx, module}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		answer, err := host.answer(strings.Fields(lines.Text()))
		if err != nil {
			fmt.Println("trap", strings.ReplaceAll(err.Error(), "\n", " "))
		} else {
			fmt.Println(answer)
		}
	}
	return lines.Err()
}

func (h embedHost) answer(words []string) (int64, error) {
	switch words[0] {
	case "call":
		return h.call(1, words[1], words[2:])
	case "repeat":
		return h.call(number(words[1]), words[2], words[3:])
	case "write":
		data, err := os.ReadFile(words[2])
		if err == nil && !h.module.Memory().Write(uint32(number(words[1])), data) {
			err = fmt.Errorf("outside the memory")
		}
		return 0, err
	case "read":
		data, inside := h.module.Memory().Read(uint32(number(words[1])), uint32(number(words[2])))
		if !inside {
			return 0, fmt.Errorf("outside the memory")
		}
		return 0, os.WriteFile(words[3], data, 0o666)
	case "pages":
		return int64(h.module.Memory().Size() >> 16), nil
	}
	return 0, fmt.Errorf("unknown verb %s", words[0])
}

// call repeats a call until it answers something else than 0.
func (h embedHost) call(count int64, name string, texts []string) (answer int64, err error) {
	words := make([]uint64, len(texts))
	for i, text := range texts {
		words[i] = uint64(uint32(number(text)))
	}
	function := h.module.ExportedFunction(name)
	for ; count > 0 && answer == 0 && err == nil; count-- {
		var answers []uint64
		if answers, err = function.Call(h.ctx, words...); len(answers) == 1 {
			answer = int64(int32(answers[0]))
		}
	}
	return answer, err
}

func number(text string) int64 {
	n, _ := strconv.ParseInt(text, 10, 64)
	return n
}
