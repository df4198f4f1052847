// Runs a WASI program in wazero: wazero-run [--dir HOST[::GUEST]]... PROGRAM.wasm [WORD]... The other use of it is in embed.go.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"github.com/tetratelabs/wazero/sys"
)

func main() {
	words, folders := os.Args[1:], wazero.NewFSConfig()
	if len(words) == 2 && words[0] == "--embed" {
		if err := serveEmbed(words[1]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		return
	}
	for len(words) > 1 && words[0] == "--dir" {
		host, guest, both := strings.Cut(words[1], "::")
		if !both {
			guest = "/"
		}
		folders, words = folders.WithDirMount(host, guest), words[2:]
	}
	ctx := context.Background()
	config := wazero.NewRuntimeConfig()
	if cache, err := wazero.NewCompilationCacheWithDir(os.Getenv("KINGLET_WAZERO_CACHE")); err == nil && os.Getenv("KINGLET_WAZERO_CACHE") != "" {
		config = config.WithCompilationCache(cache)
	}
	runtime := wazero.NewRuntimeWithConfig(ctx, config)
	wasi_snapshot_preview1.MustInstantiate(ctx, runtime)
	program, err := os.ReadFile(words[0])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	module := wazero.NewModuleConfig().WithArgs(words...).WithStdin(os.Stdin).WithStdout(os.Stdout).WithStderr(os.Stderr).WithFSConfig(folders).
		WithSysNanotime().WithSysWalltime()
	_, err = runtime.InstantiateWithConfig(ctx, program, module)
	var exit *sys.ExitError
	if errors.As(err, &exit) {
		os.Exit(int(exit.ExitCode()))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
}
