// A real identity provider for the tests: node provider.mjs JWKS_FILE PORT. Prints the port that it listens on.
// POST /reload has it read its keys again, as a provider does that rotates them.
import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import Provider from 'oidc-provider';

const AUDIENCE = 'https://errand.test';
const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA'];
const [keys, wanted] = process.argv.slice(2);

// The id of a client of a program says what its tokens are like: ALGORITHM.GROUP.
const groupOf = (id) => (id === 'cli' ? 'operators' : id.split('.')[1]);
const algorithmOf = (id) => (id === 'cli' ? 'RS256' : id.split('.')[0]);
// People sign in to the console; the name that they give is that of their group.
const CONSOLES = ['console', 'console-public', 'console-opaque'];
const groupOfToken = (token) => (CONSOLES.includes(token.clientId) ? token.accountId : groupOf(token.clientId));
const programs = [];
for (const algorithm of ALGORITHMS) {
  for (const group of ['admins', 'operators', 'submitters', 'viewers', 'media', 'both', 'nobody']) {
    programs.push({
      client_id: `${algorithm}.${group}`, client_secret: 'of-a-test', redirect_uris: [], response_types: [],
      grant_types: ['client_credentials'],
    });
  }
}

function provider(issuer) {
  return new Provider(issuer, {
    jwks: JSON.parse(readFileSync(keys, 'utf8')),
    cookies: { keys: ['of-a-test'] },
    clients: [...programs, {
      client_id: 'cli', token_endpoint_auth_method: 'none', application_type: 'native', redirect_uris: [],
      response_types: [], grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
    }, ...CONSOLES.map((id) => ({
      // Of a native client any port of loopback is taken.
      client_id: id, application_type: 'native', grant_types: ['authorization_code'], response_types: ['code'],
      redirect_uris: ['http://127.0.0.1/console/login/callback', 'http://127.0.0.1/behind/a/front/console/login/callback'],
      ...(id === 'console' ? { client_secret: 'of/a test', token_endpoint_auth_method: 'client_secret_basic' }
        : { token_endpoint_auth_method: 'none' }),
    }))],
    scopes: ['openid', 'offline_access', 'profile', 'email'],
    enabledJWA: { idTokenSigningAlgValues: ALGORITHMS },
    features: {
      clientCredentials: { enabled: true },
      deviceFlow: { enabled: true },
      devInteractions: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => AUDIENCE,
        useGrantedResource: () => true,
        getResourceServerInfo: (ctx, resource, client) => ({
          scope: '', audience: resource, accessTokenFormat: client.clientId === 'console-opaque' ? 'opaque' : 'jwt',
          // Those of the command line end so soon that each command renews them.
          accessTokenTTL: client.clientId === 'cli' ? 20 : undefined,
          jwt: { sign: { alg: CONSOLES.includes(client.clientId) ? 'RS256' : algorithmOf(client.clientId) } },
        }),
      },
    },
    issueRefreshToken: (ctx, client) => client.clientId === 'cli',
    ttl: { AccessToken: (ctx, token) => (token.accountId === 'brief' ? 5 : token.resourceServer?.accessTokenTTL || 3600) },
    claims: { openid: ['sub', 'realm_access'], profile: ['preferred_username'] },
    conformIdTokenClaims: false,
    extraTokenClaims: (ctx, token) => ({
      groups: [groupOfToken(token)],
      realm_access: { roles: [groupOfToken(token)] },
      preferred_username: `user of ${CONSOLES.includes(token.clientId) ? groupOfToken(token) : token.clientId}`,
    }),
    findAccount: (ctx, id) => ({
      accountId: id,
      claims: () => ({ sub: id, realm_access: { roles: [id] }, preferred_username: `user of ${id}` }),
    }),
  });
}

let answer;
const server = createServer((request, response) => {
  if (request.method === 'POST' && request.url === '/reload') {
    answer = provider(issuer()).callback();
    response.end();
  } else {
    answer(request, response);
  }
});
const issuer = () => `http://127.0.0.1:${server.address().port}`;
server.listen(Number(wanted), '127.0.0.1', () => {
  answer = provider(issuer()).callback();
  console.log(`listening ${server.address().port}`);
});
