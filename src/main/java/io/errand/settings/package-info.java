/**
 * The settings of a server: the one list of what can be set, what it may be, and what it means. The
 * help, the check and the page of all settings are made of it. A value comes from the environment,
 * from files, from Vault or from Consul.
 */
@NullMarked
package io.errand.settings;

import org.jspecify.annotations.NullMarked;
