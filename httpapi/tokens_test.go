package httpapi_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dongled/httpapi"
	"dongled/httpapi/auth"
	"dongled/modem"
	"dongled/scheduler/store"
)

// startWithUsers is start with a store behind the accounts. The user anna may send and make tokens.
func startWithUsers(t *testing.T, edits ...func(*httpapi.Options)) (*server, *auth.Auth) {
	t.Helper()
	a := account(t, username, password)
	st, err := store.Open(filepath.Join(t.TempDir(), "s.db"), store.Options{}, a)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	s := start(t, append(edits, func(o *httpapi.Options) { o.Auth = a })...)
	if err := a.AddUser(t.Context(), "anna", annasPassword, []string{"messages:send", "tokens:manage"}, false); err != nil {
		t.Fatal(err)
	}
	return s, a
}

const annasPassword = "anna's passwörd: long"

// asAnna, as the credentials, and as the header of do.
var asAnna = basic("anna:" + annasPassword)

// tokenPair is an answer with tokens, in both spellings.
type tokenPair struct {
	ID      string
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
	Expires string `json:"expires_at"`
	Type    string `json:"token_type"`

	CamelAccess  string `json:"accessToken"`
	CamelRefresh string `json:"refreshToken"`
	CamelExpires string `json:"expiresAt"`
	CamelType    string `json:"tokenType"`
}

func (r reply) tokenPair(t *testing.T) tokenPair {
	t.Helper()
	var p tokenPair
	if err := json.Unmarshal([]byte(r.body), &p); err != nil || r.status != 201 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	return p
}

// claims are the middle of a token.
func claimsOf(t *testing.T, token string) (c map[string]any) {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("not a JWT: %s", token)
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err == nil {
		err = json.Unmarshal(raw, &c)
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestIssueToken(t *testing.T) {
	s, _ := startWithUsers(t)
	before := time.Now().Truncate(time.Second)
	got := s.do("POST", "/auth/token", `{"ttl":3600,"scopes":["messages:send"]}`, "Authorization", asAnna)
	p := got.tokenPair(t)
	if p.Type != "Bearer" || p.CamelType != "Bearer" || p.CamelAccess != p.Access || p.CamelRefresh != p.Refresh || p.CamelExpires != p.Expires {
		t.Errorf("the spellings differ: %s", got.body)
	}
	if got.header.Get("Cache-Control") != "no-store" {
		t.Errorf("Cache-Control %q", got.header.Get("Cache-Control"))
	}
	expires, err := time.Parse(time.RFC3339, p.Expires)
	if life := expires.Sub(before); err != nil || life < time.Hour || life > time.Hour+10*time.Second {
		t.Errorf("expires %s, %v", p.Expires, err)
	}
	c := claimsOf(t, p.Access)
	if c["jti"] != p.ID || c["iss"] != "dongled" || c["sub"] != "anna" || c["token_use"] != "access" ||
		fmt.Sprint(c["scopes"]) != "[messages:send]" || c["exp"].(float64)-c["iat"].(float64) != 3600 || int64(c["exp"].(float64)) != expires.Unix() {
		t.Errorf("access token %v", c)
	}
	c = claimsOf(t, p.Refresh)
	if c["token_use"] != "refresh" || fmt.Sprint(c["scopes"]) != "[tokens:refresh]" || fmt.Sprint(c["original_scopes"]) != "[messages:send]" ||
		c["exp"].(float64)-c["iat"].(float64) != 7*3600 {
		t.Errorf("refresh token %v", c)
	}
	if got := s.do("POST", "/messages", hi, "Authorization", "Bearer "+p.Access); got.status != 202 {
		t.Errorf("%d %s", got.status, got.body)
	}
	s.do("GET", "/inbox", "", "Authorization", "Bearer "+p.Access).wantMessage(t, 403, "scope required: inbox:list")
}

func TestIssueTokenFaults(t *testing.T) {
	s, _ := startWithUsers(t)
	for body, want := range map[string]struct {
		status  int
		message string
	}{
		`{"ttl":3600}`:               {400, "scopes must not be empty"},
		`{"scopes":[]}`:              {400, "scopes must not be empty"},
		`{"scopes":null}`:            {400, "scopes must not be empty"},
		`{"scopes":["nothing:any"]}`: {400, "unsupported scope provided"},
		`{"scopes":["messages:send","tokens:refresh"]}`: {400, "unsupported scope provided"},
		`{"scopes":["messages:send","inbox:list"]}`:     {403, "scope required: inbox:list"},
		`{"scopes":["all:any"]}`:                        {403, "scope required: all:any"},
		`{"ttl":-1,"scopes":["messages:send"]}`:         {400, "ttl: must be from 0 to 9223372036854775807"},
		`{"ttl":"1h","scopes":["messages:send"]}`:       {400, "ttl: must be an integer"},
		`{"scopes":"messages:send"}`:                    {400, "scopes: must be an array of strings"},
		`[]`:                                            {400, "body: must be a JSON object"},
	} {
		s.do("POST", "/auth/token", body, "Authorization", asAnna).wantMessage(t, want.status, want.message)
	}
}

// The lives of tokens, in seconds: of the access token and of the refresh token.
func TestTokenLives(t *testing.T) {
	s, _ := startWithUsers(t)
	for ttl, want := range map[string][2]float64{
		`0`: {86400, 7 * 86400}, `null`: {86400, 7 * 86400}, `1`: {1, 7},
		`31536000`: {31536000, 31536000}, `31536001`: {31536000, 31536000}, `9223372036854775807`: {31536000, 31536000},
		`6000000`: {6000000, 31536000},
	} {
		p := s.do("POST", "/auth/token", `{"ttl":`+ttl+`,"scopes":["messages:send"]}`).tokenPair(t)
		for i, token := range []string{p.Access, p.Refresh} {
			if c := claimsOf(t, token); c["exp"].(float64)-c["iat"].(float64) != want[i] {
				t.Errorf("ttl %s: %v", ttl, c)
			}
		}
	}
}

func TestRefreshToken(t *testing.T) {
	s, _ := startWithUsers(t)
	use := func(p tokenPair) int { return s.do("GET", "/", "", "Authorization", "Bearer "+p.Access).status }
	refresh := func(path, token string) reply { return s.do("POST", path, "", "Authorization", "Bearer "+token) }

	first := s.do("POST", "/auth/token", `{"scopes":["messages:send"]}`, "Authorization", asAnna).tokenPair(t)
	second := refresh("/auth/token/refresh", first.Refresh).tokenPair(t)
	third := refresh("/3rdparty/v1/auth/refresh", second.Refresh).tokenPair(t)
	if got := [3]int{use(first), use(second), use(third)}; got != [3]int{401, 401, 200} {
		t.Errorf("the three generations: %v", got)
	}
	if c := claimsOf(t, third.Access); c["sub"] != "anna" || fmt.Sprint(c["scopes"]) != "[messages:send]" {
		t.Errorf("refreshed to %v", c)
	}
	for range 2 {
		refresh("/auth/token/refresh", first.Refresh).wantMessage(t, 401, "refresh token replay detected")
	}
	refresh("/auth/token/refresh", third.Refresh).wantMessage(t, 401, "refresh token replay detected")
	if got := use(third); got != 401 {
		t.Errorf("after the replay: %d", got)
	}
	// Neither a password nor an access token refreshes.
	s.do("POST", "/auth/token/refresh", "").wantMessage(t, 401, "Unauthorized")
	other := s.do("POST", "/auth/token", `{"scopes":["all:any"]}`).tokenPair(t)
	refresh("/auth/token/refresh", other.Access).wantMessage(t, 403, "scope required: tokens:refresh")
	// A refresh token is good for nothing else.
	for _, path := range []string{"/", "/messages", "/nothing"} {
		if got := s.do("GET", path, "", "Authorization", "Bearer "+other.Refresh); got.status != 401 {
			t.Errorf("GET %s: %d", path, got.status)
		}
	}
}

func TestRevokeToken(t *testing.T) {
	s, _ := startWithUsers(t)
	mine := s.do("POST", "/auth/token", `{"scopes":["messages:send"]}`, "Authorization", asAnna).tokenPair(t)
	others := s.do("POST", "/auth/token", `{"scopes":["all:any"]}`).tokenPair(t)
	use := func(p tokenPair) int { return s.do("GET", "/", "", "Authorization", "Bearer "+p.Access).status }
	revoke := func(id string, header ...string) {
		t.Helper()
		s.do("DELETE", "/auth/token/"+id, "", header...).want(t, 204, "")
	}
	for _, id := range []string{others.ID, "nothing", "..", "a.a1"} {
		revoke(id, "Authorization", asAnna)
	}
	if use(mine) != 200 || use(others) != 200 {
		t.Error("somebody's token was revoked")
	}
	for range 2 {
		revoke(mine.ID, "Authorization", asAnna)
		if use(mine) != 401 {
			t.Error("a revoked token works")
		}
	}
	s.do("POST", "/auth/token/refresh", "", "Authorization", "Bearer "+mine.Refresh).wantMessage(t, 401, "Unauthorized")
	// Who may do everything revokes everybody's.
	again := s.do("POST", "/auth/token", `{"scopes":["messages:send"]}`, "Authorization", asAnna).tokenPair(t)
	revoke(again.ID, "Authorization", "Bearer "+others.Access)
	if use(again) != 401 {
		t.Error("a revoked token works")
	}
	// A session that was refreshed ends by the id that it began with.
	old := s.do("POST", "/auth/token", `{"scopes":["messages:send"]}`, "Authorization", asAnna).tokenPair(t)
	late := s.do("POST", "/auth/token/refresh", "", "Authorization", "Bearer "+old.Refresh).tokenPair(t)
	revoke(old.ID, "Authorization", asAnna)
	if use(late) != 401 {
		t.Error("a refreshed token outlives its session")
	}
}

// What a stranger sends as a body is not taken for the next request on the connection, nor is what
// somebody may not send.
func TestTrapUnreadBody(t *testing.T) {
	s := start(t)
	hidden := "DELETE /messages/smuggled HTTP/1.1\r\nHost: dongled\r\nAuthorization: " + basic(username+":"+password) + "\r\n\r\n"
	filler := strings.Repeat(" ", anonymous)
	for name, body := range map[string]string{
		"long":    fmt.Sprintf("Content-Length: %d\r\n\r\n%s%s", len(filler+hidden), filler, hidden),
		"short":   fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(hidden), hidden),
		"chunked": fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(hidden), hidden),
	} {
		for _, path := range []string{"/messages", "/nothing", "/health/live"} {
			c := s.dial()
			if _, err := io.WriteString(c, "POST "+path+" HTTP/1.1\r\nHost: dongled\r\nAuthorization: Basic x\r\n"+body); err != nil {
				t.Fatal(err)
			}
			if name == "short" { // the connection lives on
				if _, err := io.WriteString(c, "GET /health/live HTTP/1.1\r\nHost: dongled\r\nConnection: close\r\n\r\n"); err != nil {
					t.Fatal(err)
				}
			}
			answers, err := io.ReadAll(c)
			if err != nil {
				t.Fatal(err)
			}
			want := 1
			if name == "short" {
				want = 2
			}
			if got := bytes.Count(answers, []byte("HTTP/1.1 ")); got != want || !bytes.HasPrefix(answers, []byte("HTTP/1.1 401 ")) {
				t.Errorf("%s body to %s: %d answers\n%s", name, path, got, answers)
			}
			_ = c.Close()
		}
	}
	if len(s.queue.ids) != 0 {
		t.Errorf("a body was taken for a request: %q", s.queue.ids)
	}
}

// anonymous is what is read of a stranger's body.
const anonymous = 4096

// A stranger's body is not waited for: the answer comes when no more than 4 KiB of it was sent.
func TestTrapStrangerIsAnsweredEarly(t *testing.T) {
	s := start(t)
	c := s.dial()
	defer c.Close()
	if _, err := fmt.Fprintf(c, "POST /messages HTTP/1.1\r\nHost: dongled\r\nAuthorization: %s\r\nContent-Length: 1000000\r\n\r\n%s",
		basic("sms:wrong"), strings.Repeat("x", anonymous)); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(c)
	if err != nil || !bytes.HasPrefix(answer, []byte("HTTP/1.1 401 ")) {
		t.Errorf("%v %s", err, answer)
	}
}

// The first request of a user, whose password is not remembered yet, may be large.
func TestFirstRequestMayBeLarge(t *testing.T) {
	s, _ := startWithUsers(t)
	long := `{"message":"` + strings.Repeat("A", 60_000) + `","phoneNumbers":["+1"]}`
	if got := s.do("POST", "/messages", long, "Authorization", asAnna); got.status != 202 {
		t.Errorf("%d %s", got.status, got.body)
	}
	// In chunks, and after 100 Continue.
	if got := s.send("POST", "/messages", io.MultiReader(strings.NewReader(long)), "Authorization", asAnna); got.status != 202 {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := s.do("POST", "/messages", long, "Authorization", asAnna, "Expect", "100-continue"); got.status != 202 {
		t.Errorf("%d %s", got.status, got.body)
	}
}

// The rest of a body that never comes is answered, not waited for.
func TestTrapHalfABody(t *testing.T) {
	s := start(t, func(o *httpapi.Options) { o.ReadTimeout = 100 * time.Millisecond })
	head := "POST /messages HTTP/1.1\r\nHost: dongled\r\nAuthorization: " + basic(username+":"+password) + "\r\nContent-Type: application/json\r\n"
	for name, test := range map[string]struct{ body, status string }{
		"late":         {"Content-Length: 9000\r\n\r\n" + strings.Repeat(" ", 5000), "408"},
		"late chunk":   {"Transfer-Encoding: chunked\r\n\r\n10\r\nx", "408"},
		"no chunk":     {"Transfer-Encoding: chunked\r\n\r\nnonsense\r\n", "400"},
		"huge chunk":   {"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffffff\r\n", "400"},
		"unended line": {"Transfer-Encoding: chunked\r\n\r\n2\r\nhello", "400"},
	} {
		t.Run(name, func(t *testing.T) {
			c := s.dial()
			defer c.Close()
			if _, err := io.WriteString(c, head+test.body); err != nil {
				t.Fatal(err)
			}
			answer, err := io.ReadAll(c)
			if err != nil || !bytes.HasPrefix(answer, []byte("HTTP/1.1 "+test.status+" ")) || bytes.Contains(answer, []byte("nonsense")) {
				t.Errorf("%v %s", err, answer)
			}
		})
	}
}

// The texts in the dialogue are messages: who may read logs may not read them by it.
func TestTraceTextsNeedScopes(t *testing.T) {
	s, _ := startWithUsers(t)
	s.modems.set(whole)
	s.modems.trace = []modem.TraceLine{}
	for scopes, want := range map[string]int{
		`"logs:read"`: 403, `"logs:read","messages:read"`: 403, `"logs:read","inbox:list"`: 403,
		`"logs:read","messages:read","inbox:list"`: 200, `"all:any"`: 200, `"messages:read","inbox:list"`: 403,
	} {
		p := s.do("POST", "/auth/token", `{"scopes":[`+scopes+`]}`).tokenPair(t)
		if got := s.do("GET", "/modems/3/trace?texts=1", "", "Authorization", "Bearer "+p.Access); got.status != want {
			t.Errorf("%s: %d %s; want %d", scopes, got.status, got.body, want)
		}
		if got := s.do("GET", "/modems/3/trace", "", "Authorization", "Bearer "+p.Access); got.status != 200 && strings.Contains(scopes, "logs:read") {
			t.Errorf("%s, masked: %d %s", scopes, got.status, got.body)
		}
	}
}
