package kannel

// Expand is expand.
var Expand = expand

// Port is the port of a user data header.
func Port(udh []byte) (uint16, error) {
	var p params
	port := p.port(udh)
	return port, p.err
}
