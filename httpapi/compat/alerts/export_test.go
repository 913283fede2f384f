package alerts

// Text is what a receiver gets of a body.
func Text(body []byte, r Receiver) (string, error) {
	p, err := parse(body)
	if err != nil {
		return "", err
	}
	return prepare(r).write(p)
}

// Numbers is numbers.
var Numbers = numbers
