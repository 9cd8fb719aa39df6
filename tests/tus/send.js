// Send a file with tus-js-client, on after every cut: node send.js ADDRESS FILE CHUNK [KEY]; prints Shoebox-Item at the end.
import { createReadStream, statSync } from "node:fs";
import { basename } from "node:path";
import tus from "tus-js-client";

const [address, path, chunk, key] = process.argv.slice(2);
let item = "";
const upload = new tus.Upload(createReadStream(path), {
  endpoint: `${address}/api/v1/tus`,
  uploadSize: statSync(path).size,
  chunkSize: Number(chunk),
  retryDelays: new Array(60).fill(500),
  metadata: { filename: basename(path) },
  headers: key ? { Authorization: `Bearer ${key}` } : {},
  onAfterResponse: (request, response) => {
    item = response.getHeader("Shoebox-Item") ?? item;
  },
  onError: (error) => {
    console.error(String(error));
    process.exit(1);
  },
  onSuccess: () => console.log(item),
});
upload.start();
