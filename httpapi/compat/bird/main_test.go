package bird

import (
	"testing"

	"dongled/httpapi/compat/compattest"
)

func TestMain(m *testing.M) { compattest.Main(m, "openapi.yaml") }
