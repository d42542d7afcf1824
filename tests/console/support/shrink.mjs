// Makes the pictures of a folder small by a palette, with pngquant of Debian, and says which are not.

import { spawnSync } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

const BYTES_MAX = 120_000;
const folder = process.argv[2];
const pictures = readdirSync(folder).filter((name) => name.endsWith(".png"));
const paths = pictures.map((name) => join(folder, name));
const options = ["--force", "--strip", "--skip-if-larger", "--ext", ".png", "64"];
const { status } = spawnSync("pngquant", [...options, ...paths]);
// 98: some were small already.
if (status !== 0 && status !== 98) throw new Error(`pngquant ended with ${status}`);
const large = paths.filter((path) => statSync(path).size > BYTES_MAX);
if (large.length > 0) throw new Error(`larger than ${BYTES_MAX} bytes: ${large.join(", ")}`);
