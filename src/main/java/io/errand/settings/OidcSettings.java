package io.errand.settings;

import java.util.List;

/** Those of the settings that say whose tokens are taken. */
final class OidcSettings {
  static final List<Setting> LIST =
      List.of(
          new Setting(
              "oidc-issuer",
              Form.text("`https://…`"),
              null,
              "none",
              "the issuer of an identity provider, whose tokens are taken besides keys"
                  + " (docs/how-to/oidc.md). Its metadata is read from there. The client takes it"
                  + " for `errand login`"),
          new Setting(
              "oidc-audience",
              Form.text("text"),
              null,
              "",
              "what a token must name as its audience; needed with an issuer"),
          new Setting(
              "oidc-role-claim",
              Form.text("name, or path with dots"),
              "groups",
              "`groups`",
              "the claim with the values that give roles, such as `groups` or `realm_access.roles`: a"
                  + " list or a text; of `scope` and `scp` each word"),
          new Setting(
              "oidc-roles",
              Form.text("comma list of `VALUE=ROLE` or `VALUE=ROLE@PROJECT`"),
              null,
              "",
              "which value of that claim gives which role, and where; needed with an issuer. Of a"
                  + " project the highest role counts"),
          new Setting(
              "oidc-project-claim",
              Form.text("name, or path with dots"),
              null,
              "none",
              "the claim with the projects that a `ROLE` without a project holds in. Without it that"
                  + " is `default`"),
          new Setting(
              "oidc-console-client-id",
              Form.text("text"),
              null,
              "none",
              "what the issuer knows the [console](../how-to/console.md) by. With it, people sign in"
                  + " to the console by way of the issuer; it must allow"
                  + " `…/console/login/callback`"),
          new Setting(
              "oidc-console-client-secret-file",
              Form.text("path"),
              null,
              "none",
              "a file with the secret that goes with it; without one the console is a public client."
                  + " It is read at each sign-in"),
          new Setting(
              "oidc-console-scope",
              Form.text("words"),
              "openid profile email",
              "`openid profile email`",
              "the scopes that the console asks the issuer for"),
          new Setting(
              "oidc-console-name",
              Form.text("text"),
              null,
              "host of the issuer",
              "what the button of the sign-in calls the issuer"));

  private OidcSettings() {}
}
