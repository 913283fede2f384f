package configs_test

import (
	"strings"
	"testing"

	"dongled/configs"
)

func TestSkycore(t *testing.T) {
	const url = "must be an http or https URL without user and password, such as https://client.example.com/postbacks"
	for yaml, want := range map[string]string{
		"postback_url: 'https://a.b/c?d=e'":                         "",
		"inbox_url: 'http://192.168.1.2:8080'":                      "",
		"postback_header: 'X-Token: a b:c'":                         "",
		"postback_header: 'x_1:y'":                                  "",
		"{click_postbacks: true, postback_url: 'http://[::1]/'}":    "",
		"postback_url: 'ftp://a.b/c'":                               "f.yaml: skycore.postback_url: ftp://a.b/c: " + url,
		"postback_url: a.b/c":                                       "f.yaml: skycore.postback_url: a.b/c: " + url,
		"postback_url: 'https://:443/'":                             "f.yaml: skycore.postback_url: https://:443/: " + url,
		"inbox_url: 'https://a.b/#c'":                               "f.yaml: skycore.inbox_url: https://a.b/#c: " + url,
		"postback_header: token":                                    "skycore.postback_header: ",
		"postback_header: 'X-Token: '":                              "skycore.postback_header: ",
		"postback_header: ': a'":                                    "skycore.postback_header: ",
		"postback_header: 'X Token: a'":                             "skycore.postback_header: ",
		`postback_header: "X-Token: a\r\nHost: b"`:                  "skycore.postback_header: ",
		"click_postbacks: true":                                     "f.yaml: skycore.click_postbacks: true: needs skycore.postback_url",
		"{inbox_url: 'https://a.b', click_postbacks: true}":         "f.yaml: skycore.click_postbacks: true: needs skycore.postback_url",
		"{postback_url: 'https://a.b', inbox_url: 'https://u@a.b'}": "skycore.inbox_url: ",
	} {
		_, err := configs.Load(configs.Sources{File: "f.yaml", YAML: []byte("skycore: " + strings.ReplaceAll("\n"+yaml, "\n", "\n  "))})
		if want == "" && err != nil || want != "" && (err == nil || !strings.HasPrefix(strings.TrimPrefix(err.Error(), "f.yaml: "), strings.TrimPrefix(want, "f.yaml: "))) {
			t.Errorf("%s: %v, want %q", yaml, err, want)
		}
		if err != nil && strings.Contains(yaml, "token") && strings.Contains(err.Error(), "token") {
			t.Errorf("%s: the secret shows: %v", yaml, err)
		}
	}
}
