package smseagle_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"dongled/httpapi/compat/compattest"
	"dongled/modem"
)

type status = modem.Status

func unregistered(st *status) { st.State = modem.StateNotRegistered }

// line is an answer in one.
func line(r compattest.Reply) string { return fmt.Sprint(r.Status, " ", r.Body) }

func request(t *testing.T, method, url, body string) *http.Request {
	t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// answerTo is the answer in a line.
func answerTo(t *testing.T, req *http.Request) string {
	t.Helper()
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(resp.StatusCode, " ", string(got))
}
