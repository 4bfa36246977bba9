package lake

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
)

var errNoCredentials = errors.New("no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE")

// away marks an error as ErrAway.
type away struct{ error }

func (a away) Is(target error) bool { return target == ErrAway }
func (a away) Unwrap() error        { return a.error }

// statusOf is the HTTP status of a failed request, 0 where there was no answer.
func statusOf(err error) int {
	var r *awshttp.ResponseError
	if errors.As(err, &r) {
		return r.HTTPStatusCode()
	}
	return 0
}

// codeOf is the S3 error code of a failed request, "" where there was none.
func codeOf(err error) string {
	var a smithy.APIError
	if errors.As(err, &a) {
		return a.ErrorCode()
	}
	return ""
}

// conflicts reports whether err says that cond does not hold. An object that is
// to be unchanged and is not there counts, too.
func conflicts(cond Condition, err error) bool {
	if cond == (Condition{}) {
		return false
	}
	switch statusOf(err) {
	case 409, 412:
		return true
	case 404:
		return cond.IfMatch() != "" && codeOf(err) != "NoSuchBucket" && codeOf(err) != "NoSuchUpload"
	}
	return false
}

// explain says what was being done, where, and what to do about the usual causes.
func (s *S3) explain(verb, key string, err error) error {
	if err == nil {
		s.bucketSeen.Store(true)
		return nil
	}
	what := fmt.Sprintf("%s %s in %s", verb, key, s.URL())
	var op *net.OpError
	code, status := codeOf(err), statusOf(err)
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded) && status == 0:
		return fmt.Errorf("%s: %w", what, err)
	case code == "NoSuchBucket":
		return fmt.Errorf("%s: %s has no bucket %q; make it, or look at the lake's name and AWS_ENDPOINT_URL", what, s.endpoint, s.bucket)
	case status == 404 && code != "NoSuchUpload":
		return fmt.Errorf("%s: %w", what, ErrNotFound)
	case strings.Contains(err.Error(), "get credentials:"):
		return fmt.Errorf("%s: %w (%w)", what, errNoCredentials, err)
	case code == "InvalidAccessKeyId", code == "SignatureDoesNotMatch", code == "ExpiredToken", code == "InvalidToken":
		return fmt.Errorf("%s: %s does not accept the credentials; look at AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE: %w", what, s.endpoint, err)
	case status == 301, code == "AuthorizationHeaderMalformed", code == "IllegalLocationConstraintException":
		return fmt.Errorf("%s: the bucket is in another region; set AWS_REGION: %w", what, err)
	case status == 403:
		return fmt.Errorf("%s: access denied; the credentials need s3:ListBucket, s3:GetObject, and to write s3:PutObject, s3:DeleteObject and s3:AbortMultipartUpload: %w", what, err)
	case status == 501:
		return fmt.Errorf("%s: %s lacks a part of S3 that a lake needs (conditional writes, as of 2024): %w", what, s.endpoint, err)
	case errors.As(err, &op) && op.Op == "dial":
		return away{fmt.Errorf("%s: %s cannot be reached; look at AWS_ENDPOINT_URL and the network: %w", what, s.endpoint, err)}
	case status == 429, status >= 500, status == 0:
		return away{fmt.Errorf("%s: %s did not serve in %d attempts; try again later: %w", what, s.endpoint, s.opts.Attempts, err)}
	}
	return fmt.Errorf("%s: %w", what, err)
}
