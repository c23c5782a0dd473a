// Package deploy holds nothing but tests: of the files beside it, without a container engine. It is a module of its own, outside go.work,
// because what it tests with (a compose file's loader, Prometheus's parser) must not raise a version of ours.
package deploy
