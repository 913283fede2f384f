package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"dongled/configs"
)

// login is the API's account. fresh says that the password was generated just now and nobody has
// seen it; file is where it is kept, empty for one from the configuration.
type login struct {
	username, password, file string
	fresh                    bool
}

// credentials finds the account: from the configuration, or a password generated at the first start
// and kept beside the store, readable by the daemon alone.
func credentials(auth configs.Auth, store string) (login, error) {
	l, err := storedLogin(auth, store)
	if err != nil || l.password != "" {
		return l, err
	}
	l.password, l.fresh = strings.ToLower(rand.Text()), true
	return l, keep(l.file, l.password)
}

// storedLogin is the account as far as it is there: before the first start it may have no password.
func storedLogin(auth configs.Auth, store string) (login, error) {
	l := login{username: auth.Username, password: auth.Password}
	if l.password != "" {
		return l, nil
	}
	if l.file = auth.PasswordFile; l.file == "" {
		l.file = filepath.Join(filepath.Dir(store), "password")
	}
	kept, err := os.ReadFile(l.file)
	switch {
	case err == nil:
		if l.password = strings.TrimRight(string(kept), "\r\n"); l.password == "" {
			return l, fmt.Errorf("password file %s is empty: write a password into it, or delete it to have one made", l.file)
		}
		if !auth.Allows(l.password) {
			return l, fmt.Errorf("password file %s: the password must have more than 8 characters, unless auth.allow_short_passwords is true", l.file)
		}
	case auth.PasswordFile != "" || !errors.Is(err, os.ErrNotExist):
		return l, fmt.Errorf("auth.password_file: %w", err)
	}
	return l, nil
}

// keep writes a secret so that it is whole or not there, whenever the power fails.
func keep(path, secret string) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".password-*") // 0600
	if err != nil {
		return fmt.Errorf("keep the generated password: %w", err)
	}
	_, err = f.WriteString(secret + "\n")
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("keep the generated password: %w", err), os.Remove(f.Name()))
	}
	return nil
}
