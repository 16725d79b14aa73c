package io.errand.settings;

/**
 * A value of a setting, and where it stands.
 *
 * @param source such as {@code environment}, {@code /etc/errand/errand.yaml:3} or {@code
 *     consul:errand/errand.http-port}; never a secret
 */
record Found(String value, String source) {}
