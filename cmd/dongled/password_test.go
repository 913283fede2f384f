package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// terminal is a pty: what a person types into, and what the program has.
func terminal(t *testing.T) (person, program *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = person.Close() })
	fd := int(person.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = program.Close() })
	return person, program
}

func echoes(t *testing.T, f *os.File) bool {
	t.Helper()
	settings, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return settings.Lflag&unix.ECHO != 0
}

// TestPasswordAtATerminal: asked twice, not shown, and the terminal is as before.
func TestPasswordAtATerminal(t *testing.T) {
	for typed, want := range map[string]string{
		"a long one\na long one\n":  "a long one, <nil>",
		"a long one\na wrong one\n": ", the two passwords differ",
		"a long one\n\x04":          ", read the password: EOF",
	} {
		person, program := terminal(t)
		prompts, shown := io.Pipe()
		asked := make(chan string)
		go func() {
			r := bufio.NewReader(prompts)
			for range 2 {
				prompt, _ := r.ReadString(' ')
				more := "" // "Once more: " has two words
				if strings.HasSuffix(prompt, "Once ") {
					more, _ = r.ReadString(' ')
				}
				asked <- prompt + more
			}
			_, _ = io.Copy(io.Discard, r)
		}()
		outcome := make(chan string, 1)
		go func() {
			password, err := readPassword(t.Context(), program, shown)
			_ = shown.Close()
			outcome <- fmt.Sprintf("%s, %v", password, err)
		}()
		first, second, _ := strings.Cut(typed, "\n")
		if prompt := <-asked; prompt != "Password: " || echoes(t, program) {
			t.Errorf("prompt %q, echo %t", prompt, echoes(t, program))
		}
		_, _ = io.WriteString(person, first+"\n")
		if prompt := <-asked; prompt != "\nOnce more: " {
			t.Errorf("prompt %q", prompt)
		}
		_, _ = io.WriteString(person, second)
		if got := <-outcome; got != want {
			t.Errorf("%q: %s, want %s", typed, got, want)
		}
		if !echoes(t, program) {
			t.Error("the terminal stays silent")
		}
	}
}

// TestPasswordInterrupted: Ctrl-C leaves the terminal as it was.
func TestPasswordInterrupted(t *testing.T) {
	_, program := terminal(t)
	ctx, interrupt := context.WithCancel(t.Context())
	prompts, shown := io.Pipe()
	go func() {
		_, _ = bufio.NewReader(prompts).ReadString(' ')
		interrupt()
	}()
	if _, err := readPassword(ctx, program, shown); err == nil || err.Error() != "interrupted" {
		t.Error(err)
	}
	if !echoes(t, program) {
		t.Error("the terminal stays silent")
	}
}
