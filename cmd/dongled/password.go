package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// readPassword reads a line. At a terminal it asks twice, without echo.
func readPassword(ctx context.Context, in *os.File, prompts io.Writer) (string, error) {
	lines := bufio.NewReader(io.LimitReader(in, 4<<10))
	restore, err := silence(in)
	if err != nil { // not a terminal
		return readLine(lines, "password")
	}
	defer restore()
	type answer struct {
		password string
		err      error
	}
	answered := make(chan answer, 1)
	go func() { // which a read that nobody ends outlives, until the process ends
		password, err := askTwice(lines, prompts)
		answered <- answer{password, err}
	}()
	select {
	case a := <-answered:
		return a.password, a.err
	case <-ctx.Done():
		return "", errors.New("interrupted")
	}
}

func askTwice(lines *bufio.Reader, prompts io.Writer) (string, error) {
	var typed [2]string
	for i, prompt := range []string{"Password: ", "Once more: "} {
		fmt.Fprint(prompts, prompt)
		line, err := readLine(lines, "password")
		fmt.Fprintln(prompts) // the one that was typed was not shown either
		if err != nil {
			return "", err
		}
		typed[i] = line
	}
	if typed[0] != typed[1] {
		return "", errors.New("the two passwords differ")
	}
	return typed[0], nil
}

// readLine reads what is named so in its errors.
func readLine(r *bufio.Reader, what string) (string, error) {
	line, err := r.ReadString('\n')
	if errors.Is(err, io.EOF) && line != "" {
		err = nil // a last line may lack its end
	}
	if err != nil {
		return "", fmt.Errorf("read the %s: %w", what, err)
	}
	return strings.TrimRight(line, "\r\n"), nil
}

// silence turns off the echo of a terminal; restore turns it on again.
func silence(terminal *os.File) (restore func(), err error) {
	fd := int(terminal.Fd())
	before, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return nil, err
	}
	quiet := *before
	quiet.Lflag = quiet.Lflag&^unix.ECHO | unix.ICANON | unix.ISIG
	quiet.Iflag |= unix.ICRNL
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, &quiet); err != nil {
		return nil, err
	}
	return func() { _ = unix.IoctlSetTermios(fd, unix.TCSETS, before) }, nil
}
