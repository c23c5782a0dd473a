// Package httpapi is where errors meet HTTP: one problem shape (RFC 9457), one table of codes, and one set-up of Gin and
// huma for every service, with request ids, access log, recovery, limits, metrics and health.
//
// It trusts no request. What a handler returns as [*Problem] is shown as it is; any other error is logged and shown as
// "internal" without its text, which may hold what the caller must not see.
package httpapi

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// A Problem is the body of every answer that is not a success. Code is stable: programs branch on it, never on a sentence.
type Problem struct { //nolint:errname // it is what RFC 9457 calls it, and an answer before it is an error
	Type     string   `json:"type" doc:"URN of the code; on EPCIS endpoints the standard's exception name" example:"urn:verilot:problem:not_found"`
	Title    string   `json:"title" doc:"The code in words; the same for every occurrence"`
	Status   int      `json:"status" doc:"HTTP status"`
	Code     Code     `json:"code" doc:"Stable name of what is wrong" example:"not_found"`
	Detail   string   `json:"detail" doc:"What is wrong here, where, and what to do about it"`
	Instance string   `json:"instance,omitempty" doc:"Identifies this occurrence: the request id, as it stands in the logs"`
	Errors   []Fault  `json:"errors,omitempty" doc:"Each single fault, where there are several or where its place is known"`
	Readings []string `json:"readings,omitempty" doc:"The possible readings of an ambiguous scan"`

	cause error // for the log
}

// A Fault is one thing wrong with a request.
type Fault struct {
	Pointer string `json:"pointer,omitempty" doc:"Where: JSON pointer, parameter, or event[i]/field of a document"`
	Line    int    `json:"line,omitempty" doc:"Line in an XML document, from 1"`
	Column  int    `json:"column,omitempty" doc:"Column in an XML document, from 1"`
	Event   *int   `json:"event,omitempty" doc:"Index of the event in the document, from 0"`
	Code    string `json:"code,omitempty" doc:"Stable name of the fault"`
	Message string `json:"message" doc:"What is wrong"`
	Hint    string `json:"hint,omitempty" doc:"What to do"`
}

// Error implements error.
func (p *Problem) Error() string { return string(p.Code) + ": " + p.Detail }

// GetStatus implements huma.StatusError.
func (p *Problem) GetStatus() int { return p.Status }

// Unwrap is what the log shows and the caller does not.
func (p *Problem) Unwrap() error { return p.cause }

// ContentType implements huma.ContentTypeFilter.
func (p *Problem) ContentType(ct string) string {
	if ct == "application/json" {
		return "application/problem+json"
	}
	return ct
}

// NewProblem makes a problem; its detail must say what is wrong, where, and what to do.
func NewProblem(code Code, format string, args ...any) *Problem {
	s := Lookup(code)
	return &Problem{Type: typePrefix + string(code), Title: s.Title, Status: s.Status, Code: code, Detail: fmt.Sprintf(format, args...)}
}

const typePrefix = "urn:verilot:problem:"

// With adds faults.
func (p *Problem) With(f ...Fault) *Problem { p.Errors = append(p.Errors, f...); return p }

// Because keeps the cause for the log.
func (p *Problem) Because(err error) *Problem { p.cause = err; return p }

// Printable shortens what a caller sent, for the detail of a problem, and shows the separator of a scan.
func Printable(s string) string {
	s = strings.ReplaceAll(s, "\x1d", "␝")
	if len(s) > 120 {
		s = s[:120] + "…"
	}
	return s
}

// EPCIS switches the type to the standard's exception name (EPCIS 2.0 section 12.7), for EPCIS endpoints.
func (p *Problem) EPCIS() {
	if t := Lookup(p.Code).EPCIS; t != "" {
		p.Type = "epcisException:" + t
	}
}

// fromHuma turns what huma found wrong with a request into our shape: huma knows statuses, we know codes.
func fromHuma(status int, msg string, errs ...error) huma.StatusError {
	var faults []Fault
	var cause error
	missing := len(errs) > 0
	for _, err := range errs {
		if err == nil {
			continue
		}
		d, ok := err.(huma.ErrorDetailer)
		if !ok {
			cause = err
			faults = append(faults, Fault{Message: err.Error()})
			missing = false
			continue
		}
		detail := d.ErrorDetail()
		f := Fault{Pointer: pointer(detail.Location), Message: detail.Message, Code: string(InvalidParameter)}
		if isMissing(detail.Message) {
			f.Code = string(MissingParameter)
		} else {
			missing = false
		}
		faults = append(faults, f)
	}
	code := codeOf(status, msg)
	if code == InvalidParameter && missing {
		code = MissingParameter
	}
	if status >= http.StatusInternalServerError {
		p := NewProblem(code, "the service could not answer; nothing was changed that the answer does not show. Try again; if it lasts, give the operator the request id").Because(cause)
		return p
	}
	p := NewProblem(code, "%s", sentence(code, msg, faults)).With(faults...)
	if status == http.StatusNotAcceptable {
		p.Errors = nil
	}
	return p.Because(cause)
}

func isMissing(msg string) bool {
	return strings.HasPrefix(msg, "expected required property") || strings.HasPrefix(msg, "required ") || strings.HasSuffix(msg, "is required")
}

func sentence(code Code, msg string, faults []Fault) string {
	switch code {
	case MissingParameter, InvalidParameter:
		if len(faults) == 0 {
			return msg
		}
		f := faults[0]
		where := f.Pointer
		if where == "" {
			where = "the request"
		}
		s := where + ": " + f.Message
		if n := len(faults) - 1; n > 0 {
			s += fmt.Sprintf(", and %d more (see errors)", n)
		}
		return s + "; correct it and send the request again (the parameters are listed in /openapi.json)"
	case UnsupportedMediaType:
		return "the body's Content-Type is not one that this endpoint reads; send application/json"
	case NotAcceptable:
		return "no format named in Accept can be written; ask for application/json"
	case BodyTooLarge:
		return "the body is larger than this endpoint reads; send it in parts"
	case RequestTimeout:
		return "the body did not arrive in time; send it again"
	case MalformedRequest:
		if len(faults) > 0 {
			return "the body cannot be read: " + faults[0].Message + "; the body must be one JSON value of the shape in /openapi.json"
		}
		return msg + "; the body must be one JSON value of the shape in /openapi.json"
	default:
		return msg
	}
}

// pointer turns huma's "body.items[3].tags" into "/items/3/tags", and leaves "query.x" readable.
func pointer(loc string) string {
	rest, ok := strings.CutPrefix(loc, "body")
	if !ok {
		return loc
	}
	return strings.NewReplacer(".", "/", "[", "/", "]", "").Replace(rest)
}

func codeOf(status int, msg string) Code {
	switch status {
	case http.StatusBadRequest:
		if strings.Contains(msg, "required") {
			return MissingParameter
		}
		return MalformedRequest
	case http.StatusUnprocessableEntity:
		return InvalidParameter
	case http.StatusNotFound:
		return NotFound
	case http.StatusMethodNotAllowed:
		return MethodNotAllowed
	case http.StatusNotAcceptable:
		return NotAcceptable
	case http.StatusRequestTimeout:
		return RequestTimeout
	case http.StatusRequestEntityTooLarge:
		return BodyTooLarge
	case http.StatusUnsupportedMediaType:
		return UnsupportedMediaType
	case http.StatusServiceUnavailable:
		return Unavailable
	case 0: // huma asks for an example when it writes the OpenAPI document
		return Internal
	}
	if status < http.StatusInternalServerError {
		return MalformedRequest
	}
	return Internal
}
