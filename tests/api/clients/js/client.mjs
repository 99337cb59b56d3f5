// The AWS SDK for JavaScript v3 against a box: what an application does, checked step by step.
//
//     node client.mjs URL BUCKET        keys from the environment
//
// Ends with exit code 0 and a line "ok", or with the first check that failed.
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import * as s3 from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'

const [url, Bucket] = process.argv.slice(2)
const options = { endpoint: url, region: 'us-east-1', forcePathStyle: true, maxAttempts: 1 }
const client = new s3.S3Client(options)
const send = (Command, options) => client.send(new Command({ Bucket, ...options }))
const digest = (body) => createHash('sha256').update(body).digest('hex')
const read = async (Key, options = {}) =>
  Buffer.from(await (await send(s3.GetObjectCommand, { Key, ...options })).Body.transformToByteArray())
const keys = ['plain', 'a b+c', 'käse/日本', 'per%cent', "quote'd(1)!*", 'd/1', 'd/2', 'd/e/3']

async function refused(code, call) {
  await assert.rejects(call, (error) => error.name === code || error.Code === code)
}

async function smallObjects() {
  for (const Key of keys) {
    const { ETag } = await send(s3.PutObjectCommand, { Key, Body: Key, Metadata: { key: encodeURIComponent(Key) } })
    const head = await send(s3.HeadObjectCommand, { Key })
    assert.equal(head.ETag, ETag)
    assert.equal(head.Metadata.key, encodeURIComponent(Key))
    assert.equal((await read(Key)).toString(), Key)
  }
  assert.equal((await read('plain', { Range: 'bytes=1-3' })).toString(), 'lai')
  await refused('NoSuchKey', send(s3.GetObjectCommand, { Key: 'nothing' }))
  await refused('PreconditionFailed', send(s3.PutObjectCommand, { Key: 'plain', Body: 'x', IfNoneMatch: '*' }))
}

async function lists() {
  const found = []
  const pages = s3.paginateListObjectsV2({ client, pageSize: 3 }, { Bucket })
  for await (const page of pages) found.push(...(page.Contents ?? []).map((entry) => entry.Key))
  assert.deepEqual(found, [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))))
  const folded = await send(s3.ListObjectsV2Command, { Prefix: 'd/', Delimiter: '/' })
  assert.deepEqual(folded.CommonPrefixes.map((entry) => entry.Prefix), ['d/e/'])
  assert.deepEqual(folded.Contents.map((entry) => entry.Key), ['d/1', 'd/2'])
}

// A stream has no length: on plain http too it comes as aws-chunked with a trailer, in HTTP chunks.
async function streams() {
  for (const size of [0, 1, 70_000, 3 << 20]) {
    const body = randomBytes(size)
    for (const ChecksumAlgorithm of ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA256']) {
      const pieces = []
      for (let at = 0; at < size; at += 33_333) pieces.push(body.subarray(at, at + 33_333))
      const put = new s3.PutObjectCommand({ Bucket, Key: 'stream', Body: Readable.from(pieces),
        ContentLength: size, ChecksumAlgorithm })
      await client.send(put)
      assert.equal(digest(await read('stream', { ChecksumMode: 'ENABLED' })), digest(body))
    }
  }
}

async function upload() {
  const body = randomBytes(18 << 20)
  const pieces = function* () {
    for (let at = 0; at < body.length; at += 100_001) yield body.subarray(at, at + 100_001)
  }
  const done = await new Upload({ client, queueSize: 4, partSize: 5 << 20,
    params: { Bucket, Key: 'upload', Body: Readable.from(pieces()), ContentType: 'a/b' } }).done()
  assert.match(done.ETag, /-4"$/)
  assert.equal(digest(await read('upload')), digest(body))
  await send(s3.CopyObjectCommand, { Key: 'copy', CopySource: `${Bucket}/upload` })
  assert.equal(digest(await read('copy')), digest(body))
  const { ObjectParts } = await send(s3.GetObjectAttributesCommand, { Key: 'upload', ObjectAttributes: ['ObjectParts'] })
  assert.equal(ObjectParts.TotalPartsCount, 4)

  const cut = new Upload({ client, partSize: 5 << 20, params: { Bucket, Key: 'cut', Body: Readable.from(pieces()) } })
  cut.on('httpUploadProgress', () => cut.abort())
  await assert.rejects(cut.done())
  await refused('NotFound', send(s3.HeadObjectCommand, { Key: 'cut' }))
  await noUploadsLeft()
}

// The SDK aborts a cut upload behind our back, at once, late or never: whoever comes second finds it gone.
async function noUploadsLeft() {
  const gone = (error) => assert.equal(error.name, 'NoSuchUpload')
  for (const { Key, UploadId } of (await send(s3.ListMultipartUploadsCommand)).Uploads ?? [])
    await send(s3.AbortMultipartUploadCommand, { Key, UploadId }).catch(gone)
  assert.equal((await send(s3.ListMultipartUploadsCommand)).Uploads, undefined)
}

// By default the SDK signs the checksum of no body into the link, and S3 holds whoever uses it to that.
async function presigned() {
  const bound = await getSignedUrl(client, new s3.PutObjectCommand({ Bucket, Key: 'bound' }))
  assert.equal((await fetch(bound, { method: 'PUT', body: 'not empty' })).status, 400)
  const signer = new s3.S3Client({ ...options, requestChecksumCalculation: 'WHEN_REQUIRED' })
  const put = await getSignedUrl(signer, new s3.PutObjectCommand({ Bucket, Key: 'link a+b' }), { expiresIn: 60 })
  assert.equal((await fetch(put, { method: 'PUT', body: 'by link' })).status, 200)
  const get = await getSignedUrl(client, new s3.GetObjectCommand({ Bucket, Key: 'link a+b',
    ResponseContentType: 'text/x' }), { expiresIn: 60 })
  const answer = await fetch(get)
  assert.equal(answer.headers.get('content-type'), 'text/x')
  assert.equal(await answer.text(), 'by link')
  assert.equal((await fetch(get.replace('link', 'other'))).status, 403)
}

async function deletes() {
  const { Contents } = await send(s3.ListObjectsV2Command)
  await send(s3.DeleteObjectCommand, { Key: Contents[0].Key })
  const { Deleted } = await send(s3.DeleteObjectsCommand,
    { Delete: { Objects: Contents.slice(1).map(({ Key }) => ({ Key })) } })
  assert.equal(Deleted.length, Contents.length - 1)
  await send(s3.DeleteBucketCommand)
  await refused('NotFound', send(s3.HeadBucketCommand))
}

await send(s3.CreateBucketCommand)
for (const step of [smallObjects, lists, streams, upload, presigned, deletes]) {
  console.error(step.name)
  await step()
}
console.log('ok')
