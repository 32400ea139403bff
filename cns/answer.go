// SPDX-License-Identifier: Apache-2.0

package cns

// Answer is the answer to a question that cannot always be answered.
type Answer uint8

// Answers.
const (
	AnswerUnknown Answer = iota // could not find out
	Yes
	No
)

// String returns the word of the JSON form: unknown, yes or no.
func (a Answer) String() string {
	words := [...]string{"unknown", "yes", "no"}
	if int(a) >= len(words) {
		return words[AnswerUnknown]
	}
	return words[a]
}

// MarshalText returns what String does.
func (a Answer) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// Finding is the answer to one part of a question, with a short phrase that says
// what was found.
type Finding struct {
	Answer Answer
	Text   string
}

// all puts findings together: No if any is No, else AnswerUnknown if any is not
// known or there is none, else Yes.
func all(findings []Finding) Answer {
	answer := Yes
	if len(findings) == 0 {
		return AnswerUnknown
	}
	for _, f := range findings {
		switch f.Answer {
		case No:
			return No
		case AnswerUnknown:
			answer = AnswerUnknown
		}
	}
	return answer
}
