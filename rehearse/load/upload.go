package load

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"time"
)

// uploadPieces is in how many pieces an upload is sent, evenly over its duration.
const uploadPieces = 200

// Upload POSTs size bytes, evenly over the duration, to a path that answers with what it got, as
// {"length": bytes, "sha256": hexadecimal}. The error is nil if both are right and the answer names its version.
func Upload(ctx context.Context, to Target, size int64, duration time.Duration) (Answer, error) {
	to = to.withDefaults()
	return once(ctx, to, func(conn net.Conn, in *bufio.Reader, a *Answer) error {
		digest := sha256.New()
		_, sendErr := conn.Write(requestHead(to, &Request{Method: http.MethodPost, Path: to.Path}, size))
		if sendErr == nil {
			sendErr = sendSlowly(ctx, io.MultiWriter(conn, digest), size, duration)
		}
		body, err := a.readHead(in) // also after an error: the answer may say why
		if err = errors.Join(sendErr, err); err != nil {
			return err
		}
		return a.checkEcho(body, size, digest)
	})
}

// sendSlowly writes size bytes evenly over the duration. They are noise, always the same, so that a piece that is
// missing or doubled shows in the sum.
func sendSlowly(ctx context.Context, to io.Writer, size int64, duration time.Duration) error {
	noise, start := rand.NewChaCha8([32]byte{}), time.Now()
	var sent int64
	for piece := range int64(uploadPieces) {
		upTo := size * (piece + 1) / uploadPieces
		n, err := io.CopyN(to, noise, upTo-sent)
		if sent += n; err != nil {
			return fmt.Errorf("send body after %d bytes: %w", sent, err)
		}
		if !sleepUntil(ctx, start.Add(duration*time.Duration(piece+1)/uploadPieces)) {
			return ctx.Err()
		}
	}
	return nil
}

// checkEcho compares what the server says it got with what was sent.
func (a *Answer) checkEcho(body io.Reader, size int64, digest hash.Hash) error {
	text, err := io.ReadAll(body)
	if a.Bytes = int64(len(text)); err != nil {
		return fmt.Errorf("read body after %d bytes: %w", a.Bytes, err)
	}
	var got struct {
		Length int64
		SHA256 string
	}
	if err := json.Unmarshal(text, &got); err != nil {
		return fmt.Errorf("parse answer %.100q: %w", text, err)
	}
	if sum := hex.EncodeToString(digest.Sum(nil)); got.Length != size || got.SHA256 != sum {
		return fmt.Errorf("server got %d bytes with SHA-256 %s, sent were %d with %s", got.Length, got.SHA256, size, sum)
	}
	return nil
}
