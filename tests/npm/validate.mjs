// Validates as ajv does. One JSON document comes in, one goes out:
// {"draft": "2020-12" | "07", "schema": …, "documents": […]} -> {"verdicts": [bool…], "errors": [first error or null…]}
import { readFileSync } from "node:fs";
import Ajv07 from "ajv";
import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";

const asked = JSON.parse(readFileSync(0, "utf8"));
const isNew = asked.draft === "2020-12";
// Our own schema has to be right in ajv's strict mode as well; another's need not be.
const ajv = isNew ? new Ajv2020({ strictTypes: false }) : new Ajv07({ strict: false });
(addFormats.default ?? addFormats)(ajv);
const validate = ajv.compile(asked.schema);
const verdicts = [];
const errors = [];
for (const document of asked.documents) {
  verdicts.push(validate(document));
  const [first] = validate.errors ?? [];
  errors.push(first ? `${first.instancePath}: ${first.message}` : null);
}
process.stdout.write(JSON.stringify({ verdicts, errors }));
