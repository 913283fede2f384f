package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"strings"
	"time"

	"dongled/httpapi/auth"
)

type userCmd struct {
	Add    userAddCmd    `cmd:"" help:"Add a user; the password is read from standard input unless told otherwise."`
	List   userListCmd   `cmd:"" help:"List the users."`
	Remove userRemoveCmd `cmd:"" help:"Remove a user and all its tokens."`
}

// userAddCmd never takes a password as an argument, which every user of the machine could see.
type userAddCmd struct {
	sources
	Name         string   `arg:"" help:"The user's name: letters, digits and . _ - + @."`
	Scopes       []string `default:"all:any" placeholder:"SCOPE,..." help:"What the user may do, such as messages:send; everything by default."`
	PasswordFile string   `xor:"password" placeholder:"FILE" help:"Take the password from the first line of a file."`
	Generate     bool     `xor:"password" help:"Make a password, and print it."`
	Replace      bool     `help:"Change a user that is there; its tokens are revoked."`
}

// Run adds the user.
func (c *userAddCmd) Run(ctx context.Context, s streams) error {
	e, err := c.load()
	if err != nil {
		return err
	}
	password, err := c.password(ctx, s)
	if err != nil {
		return err
	}
	o := userOrder{Name: c.Name, Password: password, Scopes: c.Scopes, Replace: c.Replace}
	if err := carryOut(ctx, e.Config, orderUserAdd, o, &done{}); err != nil {
		return err
	}
	fmt.Fprintf(s.err, "user %s may use %s\n", c.Name, strings.Join(c.Scopes, ", "))
	if c.Generate {
		_, err = fmt.Fprintln(s.out, password)
	}
	return err
}

func (c *userAddCmd) password(ctx context.Context, s streams) (string, error) {
	switch {
	case c.Generate:
		return strings.ToLower(rand.Text()), nil
	case c.PasswordFile != "":
		return firstLine(c.PasswordFile)
	}
	return readPassword(ctx, os.Stdin, s.err)
}

// firstLine is that of a file, which a secret is read from.
func firstLine(path string) (string, error) {
	kept, err := os.ReadFile(path)
	first, _, _ := strings.Cut(string(kept), "\n")
	return strings.TrimSuffix(first, "\r"), err
}

type userListCmd struct {
	sources
	JSON bool `help:"Print JSON."`
}

// Run prints a line a user.
func (c *userListCmd) Run(ctx context.Context, s streams) error {
	var users []auth.User
	if err := c.tell(ctx, orderUserList, done{}, &users); err != nil {
		return err
	}
	return printRows(s.out, c.JSON, users, func(u auth.User) []string {
		return []string{u.Name, u.Created.Local().Format(time.DateOnly), strings.Join(u.Scopes, ",")}
	})
}

type userRemoveCmd struct {
	sources
	Name string `arg:"" help:"The user's name."`
}

// Run removes the user.
func (c *userRemoveCmd) Run(ctx context.Context) error {
	return c.tell(ctx, orderUserRemove, userOrder{Name: c.Name}, &done{})
}
