package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
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
		kept, err := os.ReadFile(c.PasswordFile)
		first, _, _ := strings.Cut(string(kept), "\n")
		return strings.TrimSuffix(first, "\r"), err
	}
	return readPassword(ctx, os.Stdin, s.err)
}

type userListCmd struct {
	sources
	JSON bool `help:"Print JSON."`
}

// Run prints a line a user.
func (c *userListCmd) Run(ctx context.Context, s streams) error {
	e, err := c.load()
	if err != nil {
		return err
	}
	var users []auth.User
	if err := carryOut(ctx, e.Config, orderUserList, done{}, &users); err != nil {
		return err
	}
	if c.JSON {
		return printJSON(s.out, users)
	}
	rows := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	for _, u := range users {
		fmt.Fprintf(rows, "%s\t%s\t%s\n", u.Name, u.Created.Local().Format(time.DateOnly), strings.Join(u.Scopes, ","))
	}
	return rows.Flush()
}

type userRemoveCmd struct {
	sources
	Name string `arg:"" help:"The user's name."`
}

// Run removes the user.
func (c *userRemoveCmd) Run(ctx context.Context) error {
	e, err := c.load()
	if err != nil {
		return err
	}
	return carryOut(ctx, e.Config, orderUserRemove, userOrder{Name: c.Name}, &done{})
}
