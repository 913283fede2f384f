package smseagle_test

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"dongled/httpapi/compat/compattest"
)

// long is a text of four parts that brings a body beyond what is read of a stranger's.
var long = strings.Repeat("x", 600)

// padded is an order whose body is n bytes and a little.
func padded(credentials string, n int) string {
	return `{"method":"sms.send_sms","params":{` + credentials + `"to":"4915112345678","message":"` + long + `","padding":"` + strings.Repeat("-", n) + `"}}`
}

// A body beyond the first 4 KiB is read when they had the credentials, in one piece or in chunks.
func TestLongBodies(t *testing.T) {
	const access = `"access_token":"` + compattest.Key + `",`
	h := start(t)
	id := 0
	for _, n := range []int{0, 3200, 3300, 3400, 3500, 30000} {
		for _, chunked := range []bool{false, true} {
			for kind, body := range map[string]string{
				asJSON: padded(access, n),
				asForm: "access_token=" + compattest.Key + "&to=4915112345678&padding=" + strings.Repeat("-", n) + "&message=" + long,
			} {
				path := "/jsonrpc/sms"
				if kind == asForm {
					path = "/http_api/send_sms"
				}
				id++
				got := pour(t, h.URL+path, body, kind, chunked)
				if !strings.HasPrefix(got, "200 ") || !strings.Contains(got, fmt.Sprint("ID=", id)) && !strings.Contains(got, fmt.Sprint("ID=[", id, "]")) {
					t.Errorf("%s with %d bytes, chunked %v: %s", kind, len(body), chunked, got)
					continue
				}
				if m, _ := latest(t, h); m.Content.Text != long {
					t.Errorf("%s with %d bytes, chunked %v: a text of %d", kind, len(body), chunked, len(m.Content.Text))
				}
			}
		}
	}
}

// pour sends a body, and returns the answer in a line.
func pour(t *testing.T, url, body, kind string, chunked bool) string {
	t.Helper()
	req := request(t, "POST", url, body)
	if chunked {
		req.Body, req.ContentLength = io.NopCloser(strings.NewReader(body)), -1
	}
	req.Header.Set("Content-Type", kind)
	return answerTo(t, req)
}

// Credentials behind the first 4 KiB are not looked for, but a header will do.
func TestLateCredentials(t *testing.T) {
	h := start(t)
	body := `{"padding":"` + strings.Repeat("-", 5000) + `","method":"sms.send_sms","params":{"access_token":"` + compattest.Key + `","to":"4915112345678","message":"Hi"}}`
	if got := pour(t, h.URL+"/jsonrpc/sms", body, asJSON, false); !strings.HasPrefix(got, "401 ") {
		t.Errorf("%s", got)
	}
	req := request(t, "POST", h.URL+"/jsonrpc/sms", body)
	req.Header.Set("Authorization", "Bearer "+compattest.Key)
	if got := answerTo(t, req); !strings.HasPrefix(got, "200 ") {
		t.Errorf("%s", got)
	}
	// A password that the 4 KiB end in is not tried as far as it goes.
	const first, last = "to=4915112345678&message=Hi&padding=", "&login=sms&pass=correct"
	form := first + strings.Repeat("-", 4096-len(first)-len(last)) + last + "+horse+battery"
	if got := pour(t, h.URL+"/http_api/send_sms", form, asForm, false); got != "401 Invalid login or password" {
		t.Errorf("%s", got)
	}
}

// Of a stranger's body no more than 4 KiB is awaited, and the connection ends with the answer.
func TestStrangersBodyIsNotRead(t *testing.T) {
	h := start(t)
	for _, head := range []string{
		"Content-Length: 30000\r\n\r\n" + padded("", 5000)[:4500],
		"Transfer-Encoding: chunked\r\n\r\n1194\r\n" + padded("", 5000)[:0x1194] + "\r\n",
	} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(h.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second)) // it would wait for the rest
		if _, err := io.WriteString(conn, "POST /jsonrpc/sms HTTP/1.1\r\nHost: dongled\r\nContent-Type: application/json\r\n"+head); err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(conn)
		if err != nil || !strings.HasPrefix(string(got), "HTTP/1.1 401") || !strings.Contains(string(got), "Connection: close") {
			t.Errorf("%v: %s", err, got)
		}
		_ = conn.Close()
	}
}
