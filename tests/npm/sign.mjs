// Signs and verifies as GitHub's own library does. One JSON document comes in, one goes out:
// {"sign": [[secret, payload]…], "verify": [[secret, payload, signature]…]} -> {"sign": [signature…], "verify": [bool…]}
import { readFileSync } from "node:fs";
import { sign, verify } from "@octokit/webhooks-methods";

const asked = JSON.parse(readFileSync(0, "utf8"));
const answer = {
  sign: await Promise.all(asked.sign.map(([secret, payload]) => sign(secret, payload))),
  verify: await Promise.all(asked.verify.map(([secret, payload, signature]) => verify(secret, payload, signature))),
};
process.stdout.write(JSON.stringify(answer));
