package lake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/logging"
)

// NewS3 opens the lake under prefix in bucket. Credentials, region, endpoint
// (AWS_ENDPOINT_URL) and profile are found where the AWS tools find them. No
// request is made yet.
func NewS3(ctx context.Context, bucket, prefix string, o S3Options) (*S3, error) {
	if o.MaxBackoff == 0 {
		o.MaxBackoff = retry.DefaultMaxBackoff
	}
	if o.Idle == 0 {
		o.Idle = time.Minute
	}
	cfg, err := config.LoadDefaultConfig(ctx, config.WithHTTPClient(httpClient(o.Idle)), config.WithLogger(logging.Nop{}),
		// Checksums are sent where Put computes them and never as trailers, which
		// not every server understands.
		config.WithRequestChecksumCalculation(aws.RequestChecksumCalculationWhenRequired),
		config.WithResponseChecksumValidation(aws.ResponseChecksumValidationWhenRequired))
	if err != nil {
		return nil, fmt.Errorf("%w; look at AWS_PROFILE, ~/.aws/config and the AWS_ variables", err)
	}
	if o.Attempts == 0 {
		o.Attempts = cfg.RetryMaxAttempts
	}
	if o.Attempts == 0 {
		o.Attempts = 6
	}
	s := &S3{bucket: bucket, opts: o}
	if prefix != "" {
		s.prefix = strings.TrimSuffix(prefix, "/") + "/"
	}
	s.client = s3.NewFromConfig(cfg, func(c *s3.Options) {
		c.UsePathStyle = c.BaseEndpoint != nil
		if c.Region == "" && c.BaseEndpoint != nil {
			c.Region = "us-east-1"
		}
		c.RetryMaxAttempts = o.Attempts
		c.Retryer = retryer(o)
		c.DisableLogOutputChecksumValidationSkipped = true
	})
	client := s.client.Options()
	if client.Region == "" {
		return nil, errors.New("no region is set; set AWS_REGION to the bucket's, or AWS_ENDPOINT_URL for a server of your own")
	}
	s.endpoint = "Amazon S3 in " + client.Region
	if client.BaseEndpoint != nil {
		s.endpoint = *client.BaseEndpoint
	}
	return s, nil
}

// retryer is the SDK's standard one, which waits a random part of a time that
// doubles. It also makes a request again where a body was damaged or cut, and it
// has no budget shared by all requests: each is tried as often as it may be.
func retryer(o S3Options) aws.Retryer {
	return retry.NewStandard(func(r *retry.StandardOptions) {
		r.MaxAttempts = o.Attempts
		r.MaxBackoff = o.MaxBackoff
		r.Backoff = retry.NewExponentialJitterBackoff(o.MaxBackoff)
		r.RateLimiter = ratelimit.None
		r.Retryables = append(r.Retryables,
			retry.RetryableErrorCode{Codes: map[string]struct{}{
				"BadDigest": {}, "XAmzContentSHA256Mismatch": {}, "IncompleteBody": {}, "InternalError": {}, "ServiceUnavailable": {},
			}},
			retry.IsErrorRetryableFunc(func(err error) aws.Ternary {
				if errors.Is(err, io.ErrUnexpectedEOF) {
					return aws.TrueTernary
				}
				return aws.UnknownTernary
			}))
	})
}

// httpClient gives up a connection that is silent for the time idle, in either
// direction, however long the whole transfer takes.
func httpClient(idle time.Duration) *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().WithReadTimeout(0).WithTransportOptions(func(t *http.Transport) {
		dial := (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext
		t.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := dial(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			return &idleConn{Conn: c, idle: idle}, nil
		}
		t.MaxIdleConnsPerHost = 16
		t.DisableCompression = true
	})
}

type idleConn struct {
	net.Conn
	idle time.Duration
}

func (c *idleConn) Read(p []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(c.idle)); err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

// Write also puts off the reader, who waits for an answer while a body is sent.
func (c *idleConn) Write(p []byte) (int, error) {
	if err := c.SetDeadline(time.Now().Add(c.idle)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

// S3Access is what another program needs to read an S3 lake.
type S3Access struct {
	Scope     string // s3://bucket/prefix/
	Endpoint  string // host:port, "" for Amazon's
	TLS       bool
	PathStyle bool
	Region    string
	// KeyID, Secret and Token are empty where none were asked for.
	KeyID, Secret, Token string
}

// Access tells how to reach the lake, with credentials if asked for.
func (s *S3) Access(ctx context.Context, credentials bool) (S3Access, error) {
	o := s.client.Options()
	a := S3Access{Scope: strings.TrimSuffix(s.URL(), "/") + "/", TLS: true, PathStyle: o.UsePathStyle, Region: o.Region}
	if o.BaseEndpoint != nil {
		u, err := url.Parse(*o.BaseEndpoint)
		if err != nil || u.Host == "" {
			return a, fmt.Errorf("the endpoint %q is no URL; write AWS_ENDPOINT_URL as http://host:port", *o.BaseEndpoint)
		}
		a.Endpoint, a.TLS = u.Host+strings.TrimSuffix(u.Path, "/"), u.Scheme == "https"
	}
	if !credentials {
		return a, nil
	}
	c, err := o.Credentials.Retrieve(ctx)
	if err != nil {
		return a, fmt.Errorf("%s: %w (%w)", s.URL(), errNoCredentials, err)
	}
	a.KeyID, a.Secret, a.Token = c.AccessKeyID, c.SecretAccessKey, c.SessionToken
	return a, nil
}
