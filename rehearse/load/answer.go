package load

import (
	"bytes"
	"errors"
	"io"
	"net/http"
)

// checkedBody is how much of a body Config.Check sees.
const checkedBody = 1 << 20

// reader takes in the answers of one client, and judges them.
type reader struct {
	cfg  *Config
	body bytes.Buffer // used again for each answer
}

// read reads the body to its end, and keeps it if it will be checked.
func (r *reader) read(body io.Reader) error {
	r.body.Reset()
	if r.cfg.Check != nil {
		if _, err := r.body.ReadFrom(io.LimitReader(body, checkedBody)); err != nil {
			return err
		}
	}
	_, err := io.Copy(io.Discard, body)
	return err
}

// judge says in x what a complete answer amounts to.
func (r *reader) judge(x *Exchange, resp *http.Response) {
	x.Version, x.Profile = resp.Header.Get(r.cfg.VersionHeader), resp.Header.Get(r.cfg.ProfileHeader)
	if x.Outcome = ofAnswer(resp, r.cfg.VersionHeader); x.Outcome != OK {
		x.Err = errors.New(resp.Status)
		return
	}
	x.Err = nil // of a time when it was not processed
	if r.cfg.Check == nil {
		return
	}
	x.Err = r.cfg.Check(Checked{
		Request: *x.Request, Status: resp.StatusCode, Header: resp.Header, Body: r.body.Bytes(),
		Version: x.Version, Profile: x.Profile,
	})
	if x.Err != nil {
		x.Outcome = WrongAnswer
	}
}
