// minio-go v7 against a box: streams of unknown size, parts, listing, composing, removing.
//
//	minio HOST:PORT BUCKET        keys from the environment
//
// Ends with exit code 0 and a line "ok", or with the first check that failed.
package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/minio/minio-go/v7/pkg/tags"
)

var (
	ctx    = context.Background()
	client *minio.Client
	bucket string
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

func random(size int) []byte {
	body := make([]byte, size)
	rand.New(rand.NewSource(int64(size))).Read(body)
	return body
}

func read(key string) []byte {
	object := must(client.GetObject(ctx, bucket, key, minio.GetObjectOptions{}))
	defer object.Close()
	return must(io.ReadAll(object))
}

// Size -1: minio-go cuts the stream into parts.
func streams() {
	for _, size := range []int{0, 5, 6 << 20, 17<<20 + 3} {
		body := random(size)
		must(client.PutObject(ctx, bucket, "stream", io.MultiReader(bytes.NewReader(body)), -1,
			minio.PutObjectOptions{PartSize: 5 << 20, ContentType: "a/b", NumThreads: 4}))
		expect(bytes.Equal(read("stream"), body), "stream of %d bytes", size)
	}
	stat := must(client.StatObject(ctx, bucket, "stream", minio.StatObjectOptions{}))
	expect(stat.Size == 17<<20+3 && stat.ContentType == "a/b" && strings.HasSuffix(stat.ETag, "-4"), "%+v", stat)
}

func sizesAndChecksums() {
	for _, size := range []int{0, 100, 70_000, 12 << 20} {
		for _, options := range []minio.PutObjectOptions{{}, {SendContentMd5: true}, {DisableMultipart: true},
			{DisableContentSha256: true}, {Checksum: minio.ChecksumCRC32C}, {Checksum: minio.ChecksumSHA256},
			{Checksum: minio.ChecksumCRC64NVME}, {ConcurrentStreamParts: true, NumThreads: 2}} {
			options.PartSize = 5 << 20
			body := random(size)
			must(client.PutObject(ctx, bucket, "sizes", bytes.NewReader(body), int64(size), options))
			expect(bytes.Equal(read("sizes"), body), "%d bytes with %+v", size, options)
		}
	}
}

func lists() {
	for index := 0; index < 25; index++ {
		key := fmt.Sprintf("list/%d/käse a+b%%", index)
		must(client.PutObject(ctx, bucket, key, strings.NewReader(key), int64(len(key)),
			minio.PutObjectOptions{UserMetadata: map[string]string{"Color": "blue"}, UserTags: map[string]string{"a": "1"}}))
	}
	for _, options := range []minio.ListObjectsOptions{{MaxKeys: 7, Recursive: true}, {MaxKeys: 7}, {UseV1: true, Recursive: true},
		{MaxKeys: 7, WithVersions: true, Recursive: true}} {
		options.Prefix = "list/"
		count := 0
		for entry := range client.ListObjects(ctx, bucket, options) {
			check(entry.Err)
			count++
		}
		expect(count == 25, "%d listed with %+v", count, options)
	}
	expect(string(read("list/3/käse a+b%")) == "list/3/käse a+b%", "key with everything")
	found := must(client.GetObjectTagging(ctx, bucket, "list/3/käse a+b%", minio.GetObjectTaggingOptions{}))
	expect(found.ToMap()["a"] == "1", "tags: %v", found)
	check(client.PutObjectTagging(ctx, bucket, "list/3/käse a+b%", must(tags.NewTags(map[string]string{"b": "2"}, true)),
		minio.PutObjectTaggingOptions{}))
}

func compose() {
	body := random(5<<20 + 7)
	var sources []minio.CopySrcOptions
	for _, key := range []string{"one", "two", "three"} {
		must(client.PutObject(ctx, bucket, key, bytes.NewReader(body), int64(len(body)), minio.PutObjectOptions{}))
		sources = append(sources, minio.CopySrcOptions{Bucket: bucket, Object: key})
	}
	sources[2].MatchRange, sources[2].Start, sources[2].End = true, 10, 99
	must(client.ComposeObject(ctx, minio.CopyDestOptions{Bucket: bucket, Object: "whole"}, sources...))
	expect(bytes.Equal(read("whole"), bytes.Join([][]byte{body, body, body[10:100]}, nil)), "composed")
	must(client.CopyObject(ctx, minio.CopyDestOptions{Bucket: bucket, Object: "copy", ReplaceMetadata: true,
		UserMetadata: map[string]string{"Color": "red"}}, minio.CopySrcOptions{Bucket: bucket, Object: "whole"}))
	stat := must(client.StatObject(ctx, bucket, "copy", minio.StatObjectOptions{}))
	expect(stat.UserMetadata["Color"] == "red", "%+v", stat)
}

func links() {
	put := must(client.PresignedPutObject(ctx, bucket, "link a+b", time.Minute))
	request := must(http.NewRequest("PUT", put.String(), strings.NewReader("by link")))
	expect(must(http.DefaultClient.Do(request)).StatusCode == 200, "put by link")
	get := must(client.PresignedGetObject(ctx, bucket, "link a+b", time.Minute, nil))
	expect(string(must(io.ReadAll(must(http.Get(get.String())).Body))) == "by link", "get by link")
}

func incompleteUploads() {
	core := minio.Core{Client: client}
	must(core.NewMultipartUpload(ctx, bucket, "cut", minio.PutObjectOptions{}))
	count := 0
	for entry := range client.ListIncompleteUploads(ctx, bucket, "", true) {
		check(entry.Err)
		count++
	}
	expect(count == 1, "%d incomplete uploads", count)
	check(client.RemoveIncompleteUpload(ctx, bucket, "cut"))
}

func removes() {
	check(client.RemoveObject(ctx, bucket, "one", minio.RemoveObjectOptions{}))
	objects := client.ListObjects(ctx, bucket, minio.ListObjectsOptions{Recursive: true})
	for failed := range client.RemoveObjects(ctx, bucket, objects, minio.RemoveObjectsOptions{}) {
		check(failed.Err)
	}
	check(client.RemoveBucket(ctx, bucket))
	expect(!must(client.BucketExists(ctx, bucket)), "the bucket is still there")
}

func main() {
	bucket = os.Args[2]
	client = must(minio.New(os.Args[1], &minio.Options{MaxRetries: 1, TrailingHeaders: true,
		Creds: credentials.NewStaticV4(os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_SECRET_ACCESS_KEY"), "")}))
	check(client.MakeBucket(ctx, bucket, minio.MakeBucketOptions{}))
	for _, step := range []func(){streams, sizesAndChecksums, lists, compose, links, incompleteUploads, removes} {
		step()
	}
	fmt.Println("ok")
}
