// What the npm package @trustnxt/c2pa-ts says of each file that is named: one line of JSON a file, in their order.
// The package reads PNG, JPEG and AVIF; of WebP only the container is read here, the rest is the package's work.
import * as fs from 'node:fs/promises';
import { BMFF, JPEG, PNG } from '@trustnxt/c2pa-ts/asset';
import { SuperBox } from '@trustnxt/c2pa-ts/jumbf';
import { ManifestStore, ValidationResult } from '@trustnxt/c2pa-ts/manifest';

class WebP {
    mimeType = 'image/webp';

    constructor(data) {
        this.data = data;
        const view = new DataView(data.buffer, data.byteOffset, data.length);
        for (let at = 12; at + 8 <= data.length; ) {
            const length = view.getUint32(at + 4, true);
            if (name(data, at) === 'C2PA') this.found ??= { at, length };
            at += 8 + length + (length % 2);
        }
    }

    static canRead = (data) => name(data, 0) === 'RIFF' && name(data, 8) === 'WEBP';

    getDataLength = () => this.data.length;

    getDataRange = async (start = 0, length = this.data.length - start) => this.data.subarray(start, start + length);

    getManifestJUMBF = () => this.found && this.data.subarray(this.found.at + 8, this.found.at + 8 + this.found.length);

    getHashExclusionRange = () => ({ start: this.found.at, length: 8 + this.found.length + (this.found.length % 2) });
}

const name = (data, at) => Buffer.from(data.subarray(at, at + 4)).toString('latin1');

async function check(data) {
    const Kind = [JPEG, PNG, WebP, BMFF].find((one) => one.canRead(data));
    if (!Kind) return { valid: false, codes: ['unknown format'], titles: [] };
    const asset = new Kind(data);
    const jumbf = asset.getManifestJUMBF();
    if (!jumbf) return { valid: false, codes: ['no manifest'], titles: [] };
    const store = ManifestStore.read(SuperBox.fromBuffer(jumbf));
    const result = await store.validate(asset);
    return { ...told(result), titles: store.manifests.map((one) => one.claim?.title ?? null) };
}

const told = (result) => ({
    valid: result.isValid,
    codes: result.statusEntries.filter((one) => !one.success).map((one) => `${one.code} ${one.explanation ?? ''}`),
});

for (const file of process.argv.slice(2)) {
    let found;
    try {
        found = await check(new Uint8Array(await fs.readFile(file)));
    } catch (error) {
        found = { ...told(ValidationResult.fromError(error)), titles: [], error: String(error) };
    }
    console.log(JSON.stringify(found));
}
