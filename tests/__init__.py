"""The tests replica the package; `harness` is the one test application, `contract` the API's specification."""
