"""Verifies a message with the library of Standard Webhooks for Python: `{secret, headers, body}` on standard input; ends with 2 when it is refused."""

import json
import sys

from standardwebhooks import Webhook, WebhookVerificationError

message = json.load(sys.stdin)
try:
    Webhook(message["secret"]).verify(message["body"], message["headers"])
except WebhookVerificationError:
    sys.exit(2)
