#!/usr/bin/env bash
# Packs the package and uses it as a stranger would: `npm install` of the tarball in an empty folder, `npx cropvlm crop` on a
# picture, then a TypeScript program, a CommonJS one and a page's module that import it. Needs the npm registry and nothing
# else. With --keep the folder stays, and its path is told.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
folder=$(mktemp -d)
[ "${1:-}" = --keep ] && echo "$folder" || trap 'rm -rf "$folder"' EXIT
cd "$root"
rm -rf dist
npm run -s build
npm pack --silent --pack-destination "$folder"
size=$(stat -c %s "$folder"/cropvlm-*.tgz)
echo "tarball: $size bytes"
[ "$size" -lt 45000000 ]

fail() {
  echo "try-package: $1" >&2
  exit 1
}
# Whether what was said matches a pattern.
expect() {
  [[ $2 == $3 ]] || fail "$1 gives \"$2\" in place of \"$3\""
}

# dist/ holds what each source is compiled to, and what the page is made of
tar -tzf "$folder"/cropvlm-*.tgz | sed -n 's#^package/dist/##p' | sort >"$folder/packed"
find src -path src/page -prune -o -name '*.ts' -print | sed 's#^src/##; s#\.ts$##' | while read -r name; do printf '%s.js\n%s.d.ts\n' "$name" "$name"; done |
  sort >"$folder/compiled"
missing=$(comm -13 "$folder/packed" "$folder/compiled")
strange=$(comm -23 "$folder/packed" "$folder/compiled" | grep -vE '^page/' || true)
[ -z "$missing$strange" ] || fail "dist/ lacks: $missing; and has what no source makes: $strange"

mkdir "$folder/empty"
cd "$folder/empty"
cp "$root/docs/example.png" page.png
# a machine that has a GPU, and no way to the host of CUDA's libraries
mkdir "$folder/bin"
printf '#!/bin/sh\n' >"$folder/bin/nvidia-smi"
chmod +x "$folder/bin/nvidia-smi"
# the cache saves the download; everything else is as npm does it by default
(unset "${!npm_config_@}" && PATH="$folder/bin:$PATH" npm install --no-audit --no-fund "$folder"/cropvlm-*.tgz)
echo "installed: $(du -sm node_modules | cut -f1) MB"

question='What is the total?'
said=$(npx --no-install cropvlm crop page.png "$question")
expect 'npx cropvlm crop' "$said" $'page.png\t28 63 56 72\t205 353 412 404\tzoomed'*
expect 'cropvlm --version' "$(npx --no-install cropvlm --version)" "$(node -p "require('$root/package.json').version")"

cat >use.mts <<'END'
import { readFileSync } from 'node:fs'
import { ClientError, createService, type CropReply, CropVlmClient } from 'cropvlm'

const service = await createService({ env: { LOG_LEVEL: 'silent', CROPPER_MODEL: 'models/cropvlm-mini' } })
await service.ready
const client = new CropVlmClient({ fetch: service.fetch })
const reply: CropReply = await client.crop({ image: readFileSync('page.png'), question: 'What is the total?' })
const failed = await client.crop({ image: 'QQ!', question: 'What?' }).catch((error: unknown) => error)
console.log(service.choice.cropper, reply.decision, failed instanceof ClientError && failed.code)
await service.close()
END
cat >use.cjs <<'END'
// loads at once too, since no module of the package awaits anything at its top
const { createService, CropVlmClient } = require('cropvlm')
import('cropvlm').then(module => {
  if (module.createService !== createService) throw new Error('two copies')
  console.log(typeof createService, typeof CropVlmClient, typeof require('cropvlm/client').ClientError)
})
END
cat >page.mts <<'END'
import { CropVlmClient, type CropReply } from 'cropvlm/client'
export const ask = (file: Blob): Promise<CropReply> =>
  new CropVlmClient({ baseUrl: location.origin }).crop({ image: file, question: 'What is the total?' })
END
compile() {
  printf '{"files": ["%s"], "compilerOptions": {"strict": true, "exactOptionalPropertyTypes": true, "skipLibCheck": false, ' "$1" >tsconfig.json
  printf '"target": "es2023", %s}}' "$2" >>tsconfig.json
  "$root/node_modules/.bin/tsc" -p .
}
compile use.mts '"module": "nodenext", "types": ["node"], "typeRoots": ["'"$root"'/node_modules/@types"]'
# a page knows nothing of Node
compile page.mts '"module": "esnext", "moduleResolution": "bundler", "lib": ["es2023", "dom", "dom.iterable"], "types": []'
expect 'use.mts' "$(node use.mjs)" 'onnx zoomed invalid_base64'
expect 'use.cjs' "$(node use.cjs)" 'function function function'
echo 'the package works'
