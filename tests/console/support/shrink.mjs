// Makes the pictures of a folder small by a palette, with pngquant of Debian, and says which are not.

import { execFileSync } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

const BYTES_MAX = 120_000;
const folder = process.argv[2];
const pictures = readdirSync(folder).filter((name) => name.endsWith(".png"));
const paths = pictures.map((name) => join(folder, name));
execFileSync("pngquant", ["--force", "--strip", "--skip-if-larger", "--ext", ".png", "64", ...paths]);
const large = paths.filter((path) => statSync(path).size > BYTES_MAX);
if (large.length > 0) throw new Error(`larger than ${BYTES_MAX} bytes: ${large.join(", ")}`);
