//go:build race

package modem_test

const raceDetector = true
