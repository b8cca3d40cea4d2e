package pgdownload

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// maxArchive is how many bytes an archive may have. They have 10 to 100 MB.
const maxArchive = 256 << 20

// download writes the archive to a file and returns its SHA-256 sum, which is
// the right one.
func (s Source) download(ctx context.Context, to io.Writer) (sum string, err error) {
	// Without keep-alives nothing stays behind.
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, DisableKeepAlives: true}
	client := &http.Client{Transport: transport, CheckRedirect: refuseDowngrade}

	address := s.URL()
	body, err := get(ctx, client, address)
	var missing *missingError
	if errors.As(err, &missing) {
		others := slices.DeleteFunc(slices.Clone(suggested), func(v string) bool { return v == s.Version })
		return "", fmt.Errorf("%w: it has no version %s for %s; try %s", err, s.Version, s.Platform, strings.Join(others, ", "))
	}
	if err != nil {
		return "", err
	}
	defer body.Close()
	strong, weak := sha256.New(), sha1.New()
	n, err := io.Copy(io.MultiWriter(to, strong, weak), io.LimitReader(body, maxArchive+1))
	if err != nil {
		return "", fmt.Errorf("read %s: %w after %d bytes", address.Redacted(), cause(ctx, err), n)
	}
	if n > maxArchive {
		return "", tooLarge(address)
	}
	sum = hex.EncodeToString(strong.Sum(nil))
	if s.SHA256 != "" {
		return sum, compare(address, "SHA-256", sum, s.SHA256, "as "+SumVariable+" has it")
	}
	// Every artifact has a SHA-1 sum, but some have no better one.
	for _, offered := range []struct{ suffix, name, got string }{
		{".sha256", "SHA-256", sum},
		{".sha1", "SHA-1", hex.EncodeToString(weak.Sum(nil))},
	} {
		want, err := readSum(ctx, client, address, offered.suffix, len(offered.got))
		if errors.As(err, &missing) {
			continue
		}
		if err != nil {
			return "", err
		}
		return sum, compare(address, offered.name, offered.got, want, "as the mirror's "+offered.suffix+" has it")
	}
	return "", fmt.Errorf("%s has neither a .sha256 nor a .sha1 beside it, so nobody knows whether it is whole; its SHA-256 is %s: if it is the right one, pin it with %s=%[2]s", address.Redacted(), sum, SumVariable)
}

func compare(address *url.URL, kind, got, want, whose string) error {
	if got == want {
		return nil
	}
	return fmt.Errorf("%s is not the right archive: its %s is\n  %s, but should be\n  %s, %s", address.Redacted(), kind, got, want, whose)
}

// readSum reads the sum that the mirror has of a file: hexadecimal digits, and
// perhaps the file's name behind them.
func readSum(ctx context.Context, client *http.Client, address *url.URL, suffix string, digits int) (string, error) {
	beside := *address
	beside.Path, beside.RawPath = beside.Path+suffix, ""
	body, err := get(ctx, client, &beside)
	if err != nil {
		return "", err
	}
	defer body.Close()
	text, err := io.ReadAll(io.LimitReader(body, 1024))
	if err != nil {
		return "", fmt.Errorf("read %s: %w", beside.Redacted(), cause(ctx, err))
	}
	sum, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(string(text))), " ")
	if raw, err := hex.DecodeString(sum); err != nil || hex.EncodedLen(len(raw)) != digits {
		return "", fmt.Errorf("%s is no sum of %d hexadecimal digits, but %.80q", beside.Redacted(), digits, text)
	}
	return sum, nil
}

// missingError says that a server has no such file.
type missingError struct{ address, status string }

func (e *missingError) Error() string { return e.address + ": " + e.status }

func get(ctx context.Context, client *http.Client, address *url.URL) (io.ReadCloser, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), nil)
	if err != nil {
		return nil, err
	}
	// Only as it is: a transport that decompresses would hide the length.
	request.Header.Set("Accept-Encoding", "identity")
	response, err := client.Do(request)
	if ctx.Err() != nil {
		return nil, fmt.Errorf("get %s: %w", address.Redacted(), context.Cause(ctx))
	}
	if err != nil {
		return nil, fmt.Errorf("%w; another Maven repository may be named with %s", err, MirrorVariable)
	}
	switch {
	case response.StatusCode == http.StatusOK && response.ContentLength <= maxArchive:
		return response.Body, nil
	case response.StatusCode == http.StatusOK:
		err = tooLarge(address)
	case response.StatusCode == http.StatusNotFound:
		err = &missingError{address.Redacted(), response.Status}
	default:
		err = fmt.Errorf("%s: %s", address.Redacted(), response.Status)
	}
	response.Body.Close()
	return nil, err
}

func tooLarge(address *url.URL) error {
	return fmt.Errorf("%s has more than %d MB: it is no archive of programs", address.Redacted(), maxArchive>>20)
}

// cause is why ctx has ended, if it has: "context deadline exceeded" says less.
func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// refuseDowngrade follows few redirects, and none from https to http.
func refuseDowngrade(next *http.Request, before []*http.Request) error {
	if len(before) >= 10 {
		return errors.New("more than 10 redirects")
	}
	if next.URL.Scheme != "https" && before[0].URL.Scheme == "https" {
		return fmt.Errorf("the mirror redirects to %s, which is not https", next.URL.Redacted())
	}
	return nil
}
