package httpapi_test

import (
	"strings"
)

// specPath is the path that openapi.yaml has for a request or a route; the path itself, tidied, when
// it has none. The document knows the plural form and no base URL.
func specPath(path string) string {
	segments := plainSegments(path)
	doc, err := loadSpec()
	if err != nil {
		return path
	}
	best, params := "", len(segments)+1
	for template := range doc.Paths.Map() {
		if n, ok := fits(strings.Split(strings.TrimPrefix(template, "/"), "/"), segments); ok && n < params {
			best, params = template, n
		}
	}
	if best == "" {
		return "/" + strings.Join(segments, "/")
	}
	return best
}

// plainSegments are those of a path without base URL, doubled slashes and singular.
func plainSegments(path string) []string {
	for strings.Contains(path, "//") {
		path = strings.ReplaceAll(path, "//", "/")
	}
	for _, prefix := range []string{"/api/3rdparty/v1", "/3rdparty/v1"} {
		if rest, is := strings.CutPrefix(path, prefix); is && (rest == "" || rest[0] == '/') {
			path = rest
			break
		}
	}
	segments := strings.Split(strings.Trim(path, "/"), "/")
	if strings.Join(segments, "/") == "inbox/export" { // as clients call it
		return []string{"messages", "inbox", "export"}
	}
	switch segments[0] {
	case "message", "webhook", "device":
		segments[0] += "s"
	}
	return segments
}

// fits reports whether a template, of which segments such as {id} stand for anything, is that of a
// path, and how many such it has.
func fits(template, segments []string) (params int, ok bool) {
	if len(template) != len(segments) {
		return 0, false
	}
	for i, name := range template {
		switch {
		case strings.HasPrefix(name, "{"):
			params++
		case name != segments[i]:
			return 0, false
		}
	}
	return params, true
}

// pathParams are the values of what stands in braces in specPath.
func pathParams(specPath, path string) map[string]string {
	names, segments := plainSegments(specPath), plainSegments(path)
	params := map[string]string{}
	for i, name := range names {
		if name, is := strings.CutPrefix(name, "{"); is && i < len(segments) {
			params[strings.TrimSuffix(name, "}")] = segments[i]
		}
	}
	return params
}
