// Command app is the program in the engine tests' images: it does what its first argument says.
package main

import (
	"fmt"
	"io"
	"net"
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
	case "serve":
		serve()
	case "uid":
		fmt.Println(os.Getuid())
	}
}

// serve answers on three ports: 9001 sends back what it gets, 9002 says one word and closes, 9003 says nothing and keeps
// the connection, also when the client has ended its direction.
func serve() {
	for port, answer := range map[int]func(net.Conn){
		9001: func(c net.Conn) { io.Copy(c, c); c.Close() },
		9002: func(c net.Conn) { c.Write([]byte("bye")); c.Close() },
		9003: func(net.Conn) {},
	} {
		l, err := net.Listen("tcp", fmt.Sprintf(":%d", port))
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		go func() {
			for {
				if c, err := l.Accept(); err == nil {
					go answer(c)
				}
			}
		}()
	}
	fmt.Println("ready")
	select {}
}
