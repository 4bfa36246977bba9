package duck

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/boontorrent/boon/internal/lake"
)

// remoteStore is a lake on S3.
type remoteStore interface {
	lake.Store
	Access(ctx context.Context, credentials bool) (lake.S3Access, error)
}

// httpfs is the file of the extension by which DuckDB reads from S3.
const httpfs = "httpfs.duckdb_extension"

// findHTTPFS finds the extension's file in dir or below.
func findHTTPFS(dir string) (string, error) {
	found := ""
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && d.Name() == httpfs {
			found = path
			return fs.SkipAll
		}
		return err
	})
	if err != nil {
		return "", fmt.Errorf("look for DuckDB's extensions in %s: %w", dir, err)
	}
	if found == "" {
		return "", fmt.Errorf("there is no %s in %s or below; pip install duckdb-extension-httpfs has it in its folder, INSTALL httpfs in DuckDB's shell puts it into ~/.duckdb", httpfs, dir)
	}
	return found, nil
}

// direct lets DuckDB read an S3 lake itself. load is the statement that loads
// httpfs.
func direct(load string, a lake.S3Access, keyID, secret, token string) source {
	return source{
		setup: []string{
			load,
			"SET enable_http_metadata_cache = true", // parts never change
			"SET http_retries = 6",
			secretSQL(a, keyID, secret, token),
		},
		location: func(key string) string { return a.Scope + key },
	}
}

// secretSQL is the statement that tells DuckDB how to reach a lake; keyID,
// secret and token are SQL expressions, "" for none.
func secretSQL(a lake.S3Access, keyID, secret, token string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "CREATE OR REPLACE SECRET boon_lake (\n\tTYPE s3, PROVIDER config, SCOPE %s,\n", quote(a.Scope))
	if a.Endpoint != "" {
		fmt.Fprintf(&b, "\tENDPOINT %s, ", quote(a.Endpoint))
	} else {
		b.WriteByte('\t')
	}
	style := "vhost"
	if a.PathStyle {
		style = "path"
	}
	fmt.Fprintf(&b, "URL_STYLE '%s', USE_SSL %t, REGION %s", style, a.TLS, quote(a.Region))
	for _, option := range [][2]string{{"KEY_ID", keyID}, {"SECRET", secret}, {"SESSION_TOKEN", token}} {
		if option[1] != "" {
			fmt.Fprintf(&b, ",\n\t%s %s", option[0], option[1])
		}
	}
	return b.String() + ")"
}

const loadAnywhere = `-- httpfs is DuckDB's extension for object stores: it is fetched once.
INSTALL httpfs;
LOAD httpfs`

const loadHidden = `-- httpfs is DuckDB's extension for object stores: it is fetched once.
INSTALL httpfs;
LOAD httpfs;
-- Credentials are not printed (boon connect --secret does). Set them before this:
--   SET VARIABLE s3_key_id = '…'; SET VARIABLE s3_secret = '…';      in DuckDB's shell: = getenv('AWS_SECRET_ACCESS_KEY')
--   SET VARIABLE s3_token = '…';                                     only where they are temporary
-- or have DuckDB find them where the AWS tools do, and replace the secret below:
--   INSTALL aws; LOAD aws; CREATE SECRET boon_lake (TYPE s3, PROVIDER credential_chain, …)`

// Remote makes the script of an S3 lake read it over the network, with httpfs:
// what boon connect prints. Credentials are part of it only if secrets is true.
// It does nothing for other lakes.
func (c *Catalog) Remote(ctx context.Context, s lake.Store, secrets bool) error {
	r, ok := s.(remoteStore)
	if !ok {
		return nil
	}
	a, err := r.Access(ctx, secrets)
	if err != nil {
		return err
	}
	if secrets {
		c.source = direct(loadAnywhere, a, quote(a.KeyID), quote(a.Secret), quoteIfAny(a.Token))
		return nil
	}
	c.source = direct(loadHidden, a, variable("s3_key_id"), variable("s3_secret"), "coalesce(getvariable('s3_token'), '')")
	return nil
}

// variable reads a variable that must be set.
func variable(name string) string {
	return fmt.Sprintf("coalesce(getvariable('%s'), error('first: SET VARIABLE %s = ''…'''))", name, name)
}

func quoteIfAny(s string) string {
	if s == "" {
		return ""
	}
	return quote(s)
}
