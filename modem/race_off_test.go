//go:build !race

package modem_test

const raceDetector = false
