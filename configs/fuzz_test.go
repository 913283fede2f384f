package configs_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"dongled/configs"
)

// FuzzLoad feeds any bytes as a file. Whatever they are, Load says Faults or yields a
// configuration that survives being printed and read again.
func FuzzLoad(f *testing.F) {
	f.Add([]byte(configs.Sample()))
	f.Fuzz(func(t *testing.T, yaml []byte) {
		e, err := configs.Load(configs.Sources{File: "f.yaml", YAML: yaml})
		var faults configs.Faults
		if errors.As(err, &faults) {
			for _, fault := range faults {
				if fault.Problem == "" || strings.ContainsAny(fault.String(), "\n\r\x1b") {
					t.Errorf("not a line for a terminal: %q", fault.String())
				}
			}
			return
		}
		if err != nil {
			t.Fatalf("not Faults: %v", err)
		}
		// Redaction is meant to lose secrets, and nothing else.
		e.Config.Auth.Password, e.Config.Encryption.Passphrase, e.Config.Webhooks.SigningKey = "", "", ""
		u := &e.Config.Uplink
		u.PrivateToken, u.Username, u.Password, u.Code = "", "", "", ""
		for i := range e.Config.Modems {
			e.Config.Modems[i].PIN = ""
		}
		e.Config.Skycore.PostbackHeader, e.Config.Twilio.AuthToken = "", ""
		for i := range e.Config.Receivers {
			e.Config.Receivers[i].Secret = ""
		}
		out, err := e.YAML()
		if err != nil {
			t.Fatal(err)
		}
		again, err := configs.Load(configs.Sources{File: "f.yaml", YAML: out})
		if err != nil || !reflect.DeepEqual(again.Config, e.Config) {
			t.Errorf("printed\n%s\nread again: %+v, %v\nwant %+v", out, again.Config, err, e.Config)
		}
	})
}
