package io.errand.settings;

import java.util.List;

/** Those of the settings that say where settings and secrets are, beside the environment. */
final class CentralSettings {
  private static final Form URL =
      Form.pattern(
          "`https://…`, or `http://…` of a loopback address",
          "https://[A-Za-z0-9\\[\\]:._-]{1,255}(/[A-Za-z0-9._~-]{1,100}){0,9}"
              + "|http://(localhost|127\\.[0-9.]{5,11}|\\[::1\\])(:[0-9]{1,5})?",
          "set it to an address such as https://vault.example.org:8200, without a slash at its end;"
              + " http would carry tokens and settings in clear, and is for a loopback address only");

  private static final Form PATH =
      Form.pattern(
          "path without a slash at its ends",
          "[A-Za-z0-9_][A-Za-z0-9._-]{0,99}(/[A-Za-z0-9_][A-Za-z0-9._-]{0,99}){0,19}",
          "set it to a path such as secret/data/errand");

  static final List<Setting> LIST =
      List.of(
          new Setting(
              "config",
              Form.text("comma list of paths"),
              null,
              "none",
              "files `NAME.properties`, `NAME.yaml` or `NAME.yml` with settings, and directories with"
                  + " such files or with a file for each setting:"
                  + " [configuration](../how-to/configure.md). A later one comes before an earlier one"),
          new Setting(
              "profile",
              Form.pattern(
                  "name",
                  "1 to 64 characters",
                  "[A-Za-z0-9_-]{1,64}",
                  "set it to letters, digits, - and _"),
              null,
              "none",
              "the environment that this process is of, such as `staging`: which lines and files of"
                  + " `ERRAND_CONFIG` hold beside those that always do"),
          new Setting(
              "consul-url", URL, null, "none", "a Consul that settings are read from at the start"),
          new Setting(
              "consul-prefix",
              PATH,
              "errand",
              "`errand`",
              "settings are the keys below it: `PREFIX/errand.http-port`, or `PREFIX/errand/http-port`"),
          new Setting(
              "consul-token",
              Form.secret("text, secret", "", value -> ""),
              null,
              "none",
              "its token"),
          file("consul-ca-file", "a file with the authorities of its certificate in PEM"),
          new Setting(
              "vault-url",
              URL,
              null,
              "none",
              "a HashiCorp Vault, for `ERRAND_VAULT_SETTINGS`, `ERRAND_VAULT_DATABASE` and"
                  + " `ERRAND_VAULT_SECRETS`. With it, one of `ERRAND_VAULT_TOKEN`,"
                  + " `ERRAND_VAULT_TOKEN_FILE`, `ERRAND_VAULT_ROLE_ID` and"
                  + " `ERRAND_VAULT_KUBERNETES_ROLE` is needed"),
          file("vault-ca-file", "a file with the authorities of its certificate in PEM"),
          new Setting("vault-namespace", PATH, null, "none", "the namespace, of Vault Enterprise"),
          new Setting(
              "vault-token", Form.secret("text, secret", "", value -> ""), null, "none", "a token"),
          file(
              "vault-token-file",
              "a file with a token, such as the sink of Vault's agent. It is read at each login"),
          new Setting(
              "vault-role-id",
              Form.text("text"),
              null,
              "none",
              "the id of an AppRole to log in as"),
          new Setting(
              "vault-secret-id",
              Form.secret("text, secret", "", value -> ""),
              null,
              "none",
              "the secret id that goes with it"),
          file("vault-secret-id-file", "a file with it in its place. It is read at each login"),
          new Setting(
              "vault-kubernetes-role",
              Form.text("text"),
              null,
              "none",
              "the role of Vault's Kubernetes login to log in as, by the account of the pod"),
          new Setting(
              "vault-kubernetes-token-file",
              Form.text("path"),
              null,
              "`/var/run/secrets/kubernetes.io/serviceaccount/token`",
              "the file of the token of that account"),
          new Setting(
              "vault-mount",
              PATH,
              null,
              "`approle` or `kubernetes`",
              "where Vault has that way to log in"),
          new Setting(
              "vault-settings",
              PATH,
              null,
              "none",
              "a path of Vault whose values are settings: `secret/data/errand/settings` for KV version"
                  + " 2. The names are those of files, such as `errand.token`"),
          new Setting(
              "vault-database",
              PATH,
              null,
              "none",
              "a path of Vault that gives `username` and `password` of the database:"
                  + " `database/creds/ROLE` for logins that Vault makes,"
                  + " `secret/data/errand/database` for KV version 2. In place of"
                  + " `ERRAND_DATABASE_USER` and `ERRAND_DATABASE_PASSWORD`"),
          new Setting(
              "vault-secrets",
              PATH,
              null,
              "none",
              "a path of Vault below which the secrets of commands are, such as"
                  + " `secret/data/errand/jobs`; with `ERRAND_SECRETS_PROVIDER=vault`"));

  private CentralSettings() {}

  private static Setting file(String name, String meaning) {
    return new Setting(name, Form.text("path"), null, "none", meaning);
  }
}
