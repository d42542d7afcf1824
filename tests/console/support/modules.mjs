// What npm installed beside the build, not beside these files.

import { createRequire } from "node:module";
import { join } from "node:path";

/** Where what is installed and what is kept of a run are. */
export const PLACE = process.env.CONSOLE_PLACE;
if (!PLACE) throw new Error("start these tests by tests/console/run");

const require = createRequire(join(PLACE, "package.json"));
export const { chromium } = require("playwright-core");
export const axeSource = require("axe-core").source;
