package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"dongled/httpapi/auth"
)

type keyCmd struct {
	Add    keyAddCmd    `cmd:"" help:"Make a key and print it; it cannot be shown again."`
	List   keyListCmd   `cmd:"" help:"List the keys by their names."`
	Remove keyRemoveCmd `cmd:"" help:"Remove a key."`
}

// keyAddCmd never takes a key as an argument, which every user of the machine could see.
type keyAddCmd struct {
	sources
	Name    string   `arg:"" help:"What to call it, such as the program that uses it: letters, digits and . _ - + @."`
	Scopes  []string `default:"all:any" placeholder:"SCOPE,..." help:"What it may do, such as messages:send; by default everything but making tokens."`
	KeyFile string   `xor:"key" placeholder:"FILE" help:"Take the key that a client has already from the first line of a file: 16 to 200 visible ASCII characters."`
	Stdin   bool     `xor:"key" help:"Take it from the first line of standard input."`
	Replace bool     `help:"Change a key that is there; the old one ends."`
}

// Run adds the key, and prints one that was made.
func (c *keyAddCmd) Run(ctx context.Context, s streams) error {
	key, err := c.given()
	if err != nil {
		return err
	}
	var added keyAdded
	o := keyOrder{Name: c.Name, Key: key, Scopes: c.Scopes, Replace: c.Replace}
	if err := c.tell(ctx, orderKeyAdd, o, &added); err != nil {
		return err
	}
	fmt.Fprintf(s.err, "key %s may use %s\n", c.Name, strings.Join(c.Scopes, ", "))
	if key == "" {
		_, err = fmt.Fprintln(s.out, added.Key)
	}
	return err
}

// given is the key that a client has already, empty for none.
func (c *keyAddCmd) given() (key string, err error) {
	switch {
	case c.KeyFile != "":
		key, err = firstLine(c.KeyFile)
	case c.Stdin:
		key, err = readLine(bufio.NewReader(io.LimitReader(os.Stdin, 4<<10)), "key")
	default:
		return "", nil
	}
	if err == nil && key == "" {
		err = &auth.Fault{Field: "key", Problem: "the first line is empty"}
	}
	return key, err
}

type keyListCmd struct {
	sources
	JSON bool `help:"Print JSON."`
}

// Run prints a line a key.
func (c *keyListCmd) Run(ctx context.Context, s streams) error {
	var keys []auth.KeyInfo
	if err := c.tell(ctx, orderKeyList, done{}, &keys); err != nil {
		return err
	}
	return printRows(s.out, c.JSON, keys, func(k auth.KeyInfo) []string {
		return []string{k.Name, k.Created.Local().Format(time.DateOnly), strings.Join(k.Scopes, ",")}
	})
}

type keyRemoveCmd struct {
	sources
	Name string `arg:"" help:"The key's name."`
}

// Run removes the key.
func (c *keyRemoveCmd) Run(ctx context.Context) error {
	return c.tell(ctx, orderKeyRemove, keyOrder{Name: c.Name}, &done{})
}
