// Command app is the program in the engine tests' images: it does what its first argument says.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"
)

func main() {
	switch os.Args[1] {
	case "wait": // until stopped
		fmt.Println("ready")
		fmt.Fprintln(os.Stderr, "waiting")
		stop := make(chan os.Signal, 1)
		signal.Notify(stop, syscall.SIGTERM, syscall.SIGUSR1)
		fmt.Println("got", <-stop)
	case "print": // TEXT TO-STDERR CODE
		fmt.Println(os.Args[2])
		fmt.Fprintln(os.Stderr, os.Args[3])
		code, _ := strconv.Atoi(os.Args[4])
		os.Exit(code)
	case "write": // FILE TEXT
		if err := os.WriteFile(os.Args[2], []byte(os.Args[3]), 0o644); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	case "uid":
		fmt.Println(os.Getuid())
	}
}
