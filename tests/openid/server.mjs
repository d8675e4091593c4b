// A provider of identities that signs everybody in as whom they say they are: oidc-provider by
// panva, a certified implementation, with its own forms. Settings come as JSON on the command line.

import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import Provider from "oidc-provider";

const { issuer, port, certificate, key, client, groups } = JSON.parse(process.argv[2]);

const provider = new Provider(issuer, {
  clients: [{ ...client, id_token_signed_response_alg: "ES256" }],
  clientDefaults: { grant_types: ["authorization_code"], response_types: ["code"] },
  jwks: { keys: JSON.parse(process.argv[3]) },
  cookies: { keys: ["of a test"] },
  claims: { openid: ["sub", "groups"], email: ["email", "email_verified"], profile: ["name"] },
  pkce: { methods: ["S256"], required: () => true },
  enabledJWA: { idTokenSigningAlgValues: ["ES256"] },
  findAccount: (_, login) => ({
    accountId: login,
    claims: () => ({
      sub: login,
      email: `${login}@example.com`,
      email_verified: true,
      groups: groups[login] ?? [],
    }),
  }),
});
provider.on("server_error", (_, error) => console.error(error));

const server = createServer(
  { cert: readFileSync(certificate), key: readFileSync(key) },
  provider.callback(),
);
server.listen(port, "127.0.0.1", () => console.log("ready"));
