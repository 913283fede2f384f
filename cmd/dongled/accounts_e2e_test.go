package main_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// command runs dongled to its end with the configuration of a site, and returns what it printed.
func (s site) command(t *testing.T, want int, args ...string) (stdout, stderr string) {
	t.Helper()
	p := startIn(t, s.env, "dongled", append(args, "--config", s.config)...)
	if got := p.status(t); got != want {
		t.Fatalf("dongled %s: status %d, want %d\n%s", strings.Join(args, " "), got, want, p.stderr.String())
	}
	return strings.TrimSpace(p.stdout.String()), strings.TrimSpace(p.stderr.String())
}

// as asks with these credentials and returns the status.
func (g *gateway) as(t *testing.T, authorization, method, path string) int {
	t.Helper()
	req, err := http.NewRequest(method, g.url+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", authorization)
	if user, password, found := strings.Cut(authorization, ":"); found {
		req.SetBasicAuth(user, password)
	}
	resp, err := g.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

// TestUsersOfARunningDaemon: the commands act on it at once, and what they did outlives it.
func TestUsersOfARunningDaemon(t *testing.T) {
	s := newSite(t, []string{"virtual:one"}, knownPassword)
	g := s.serve(t)
	password, _ := s.command(t, 0, "user", "add", "anna", "--generate", "--scopes", "messages:read")
	anna := "anna:" + password
	if got := g.as(t, anna, "GET", "/messages"); got != 200 {
		t.Errorf("anna: %d", got)
	}
	if got := g.as(t, anna, "GET", "/devices"); got != 403 {
		t.Errorf("anna without the scope: %d", got)
	}
	if _, said := s.command(t, 1, "user", "add", "anna", "--generate"); said != "dongled: there is a user of that name already" {
		t.Errorf("said %q", said)
	}
	annas, _ := s.command(t, 0, "token", "--user", "anna")
	pair, _ := s.command(t, 0, "token", "--scopes", "devices:list,tokens:manage", "--ttl", "1h", "--json")
	var primarys struct {
		Access string `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(pair), &primarys); err != nil {
		t.Fatal(err)
	}
	check := func(when string, ofAnna, ofPrimary int) {
		t.Helper()
		if got := g.as(t, "Bearer "+annas, "GET", "/messages"); got != ofAnna {
			t.Errorf("%s: anna's token: %d, want %d", when, got, ofAnna)
		}
		if got := g.as(t, "Bearer "+primarys.Access, "GET", "/devices"); got != ofPrimary {
			t.Errorf("%s: the other token: %d, want %d", when, got, ofPrimary)
		}
	}
	check("at once", 200, 200)

	// Without a daemon the commands do the same to its store.
	g.terminate(t)
	s.command(t, 0, "user", "add", "bob", "--generate")
	list, _ := s.command(t, 0, "user", "list")
	if rows := lines(list); len(rows) != 2 || !strings.HasPrefix(rows[0], "anna ") || !strings.HasSuffix(rows[0], " messages:read") || !strings.HasPrefix(rows[1], "bob ") {
		t.Errorf("%s", list)
	}
	g = s.serve(t)
	check("after a restart", 200, 200)
	s.command(t, 0, "user", "remove", "anna")
	check("without anna", 401, 200)
	if got := g.as(t, anna, "GET", "/messages"); got != 401 {
		t.Errorf("removed anna: %d", got)
	}
	if strings.Contains(g.stderr.String(), password) {
		t.Error("the log has the password")
	}
	g.terminate(t)

	s.env = append(s.env, "DONGLED_AUTH__PASSWORD=changed by somebody")
	g = s.serve(t)
	check("with another password in the configuration", 401, 401)
}

// TestKeysOfARunningDaemon: the commands act on it at once, and what they did outlives it.
func TestKeysOfARunningDaemon(t *testing.T) {
	s := newSite(t, []string{"virtual:one"}, knownPassword)
	g := s.serve(t)
	key, said := s.command(t, 0, "key", "add", "bridge", "--scopes", "messages:read")
	if said != "key bridge may use messages:read" {
		t.Errorf("said %q", said)
	}
	check := func(when string, messages, devices int) {
		t.Helper()
		if got := g.as(t, "Bearer "+key, "GET", "/messages"); got != messages {
			t.Errorf("%s: messages %d, want %d", when, got, messages)
		}
		if got := g.as(t, "Bearer "+key, "GET", "/devices"); got != devices {
			t.Errorf("%s: devices %d, want %d", when, got, devices)
		}
	}
	check("at once", 200, 403)
	if _, said := s.command(t, 1, "key", "add", "bridge"); said != "dongled: there is a key of that name already" {
		t.Errorf("said %q", said)
	}
	if list, _ := s.command(t, 0, "key", "list"); !strings.HasPrefix(list, "bridge ") || strings.Contains(list, key) {
		t.Errorf("%s", list)
	}
	log := g.stderr.String()
	g.terminate(t)
	g = s.serve(t)
	check("after a restart", 200, 403)
	s.command(t, 0, "key", "remove", "bridge")
	check("removed", 401, 401)
	if strings.Contains(log+g.stderr.String(), key) {
		t.Error("the log has the key")
	}
}
