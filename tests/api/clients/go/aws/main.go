// The AWS SDK for Go v2 against a box: what an application does, checked step by step.
//
//	aws URL BUCKET        keys from the environment
//
// Ends with exit code 0 and a line "ok", or with the first check that failed.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand"
	"net/http"
	"os"
	"sort"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/feature/s3/manager"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
)

var (
	ctx    = context.Background()
	client *s3.Client
	bucket *string
	keys   = []string{"plain", "a b+c", "käse/日本", "per%cent", "quote'd(1)!*", "d/1", "d/2", "d/e/3"}
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func must[T any](value T, err error) T {
	check(err)
	return value
}

func expect(holds bool, format string, args ...any) {
	if !holds {
		panic(fmt.Sprintf(format, args...))
	}
}

func refused(code string, err error) {
	var answer smithy.APIError
	expect(errors.As(err, &answer) && answer.ErrorCode() == code, "%s expected, not %v", code, err)
}

func random(size int) []byte {
	body := make([]byte, size)
	rand.New(rand.NewSource(int64(size))).Read(body)
	return body
}

func read(key string) []byte {
	got := must(client.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: &key,
		ChecksumMode: types.ChecksumModeEnabled}))
	defer got.Body.Close()
	return must(io.ReadAll(got.Body))
}

func smallObjects() {
	for _, key := range keys {
		put := must(client.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: aws.String(key),
			Body: strings.NewReader(key), Metadata: map[string]string{"color": "blue"}}))
		head := must(client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: bucket, Key: aws.String(key)}))
		expect(*head.ETag == *put.ETag && head.Metadata["color"] == "blue", "head of %q: %+v", key, head)
		expect(string(read(key)) == key, "body of %q", key)
	}
	_, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: aws.String("nothing")})
	refused("NoSuchKey", err)
	_, err = client.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: aws.String("plain"),
		Body: strings.NewReader("x"), IfNoneMatch: aws.String("*")})
	refused("PreconditionFailed", err)
	for _, algorithm := range types.ChecksumAlgorithm("").Values() {
		switch algorithm {
		case "CRC32", "CRC32C", "SHA1", "SHA256", "CRC64NVME":
			check(second(client.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: aws.String("d/1"),
				Body: bytes.NewReader(random(200_000)), ChecksumAlgorithm: algorithm})))
			expect(bytes.Equal(read("d/1"), random(200_000)), "body with %s", algorithm)
		}
	}
}

func second[T any](_ T, err error) error {
	return err
}

func lists() {
	var found []string
	pages := s3.NewListObjectsV2Paginator(client, &s3.ListObjectsV2Input{Bucket: bucket, MaxKeys: aws.Int32(3)})
	for pages.HasMorePages() {
		for _, entry := range must(pages.NextPage(ctx)).Contents {
			found = append(found, *entry.Key)
		}
	}
	sort.Strings(keys)
	expect(fmt.Sprint(found) == fmt.Sprint(keys), "listed: %q", found)
	folded := must(client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: bucket, Prefix: aws.String("d/"),
		Delimiter: aws.String("/")}))
	expect(len(folded.CommonPrefixes) == 1 && len(folded.Contents) == 2, "folded: %+v", folded)
}

// A reader that cannot seek: the uploader does not know the size.
func uploads() {
	body := random(18 << 20)
	uploader := manager.NewUploader(client, func(u *manager.Uploader) { u.PartSize = 5 << 20 })
	for _, size := range []int{0, 5, 6 << 20, len(body)} {
		check(second(uploader.Upload(ctx, &s3.PutObjectInput{Bucket: bucket, Key: aws.String("upload"),
			Body: io.MultiReader(bytes.NewReader(body[:size]))})))
		expect(bytes.Equal(read("upload"), body[:size]), "upload of %d bytes", size)
	}
	into := manager.NewWriteAtBuffer(make([]byte, 0, len(body)))
	downloader := manager.NewDownloader(client, func(d *manager.Downloader) { d.PartSize = 1 << 20 })
	must(downloader.Download(ctx, into, &s3.GetObjectInput{Bucket: bucket, Key: aws.String("upload")}))
	expect(bytes.Equal(into.Bytes(), body), "download in ranges")
	must(client.CopyObject(ctx, &s3.CopyObjectInput{Bucket: bucket, Key: aws.String("copy"),
		CopySource: aws.String(*bucket + "/upload")}))
	expect(bytes.Equal(read("copy"), body), "copy")
}

func presigned() {
	signer := s3.NewPresignClient(client)
	put := must(signer.PresignPutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: aws.String("link a+b")},
		s3.WithPresignExpires(time.Minute)))
	request := must(http.NewRequest(put.Method, put.URL, strings.NewReader("by link")))
	for name, values := range put.SignedHeader {
		if name != "Content-Length" && name != "Host" {
			request.Header[name] = values
		}
	}
	expect(must(http.DefaultClient.Do(request)).StatusCode == 200, "put by link")
	get := must(signer.PresignGetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: aws.String("link a+b")}))
	answer := must(http.Get(get.URL))
	expect(answer.StatusCode == 200 && string(must(io.ReadAll(answer.Body))) == "by link", "get by link")
	expect(must(http.Get(strings.Replace(get.URL, "link", "other", 1))).StatusCode == 403, "bent link")
}

func deletes() {
	page := must(client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: bucket}))
	var objects []types.ObjectIdentifier
	for _, entry := range page.Contents[1:] {
		objects = append(objects, types.ObjectIdentifier{Key: entry.Key})
	}
	must(client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: bucket, Key: page.Contents[0].Key}))
	gone := must(client.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: bucket,
		Delete: &types.Delete{Objects: objects}}))
	expect(len(gone.Deleted) == len(objects) && len(gone.Errors) == 0, "deleted: %+v", gone)
	must(client.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: bucket}))
	_, err := client.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: bucket})
	refused("NotFound", err)
}

func main() {
	bucket = aws.String(os.Args[2])
	client = s3.New(s3.Options{BaseEndpoint: aws.String(os.Args[1]), Region: "us-east-1", UsePathStyle: true,
		RetryMaxAttempts: 1, Credentials: credentials.NewStaticCredentialsProvider(
			os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_SECRET_ACCESS_KEY"), "")})
	must(client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: bucket}))
	for _, step := range []func(){smallObjects, lists, uploads, presigned, deletes} {
		step()
	}
	fmt.Println("ok")
}
