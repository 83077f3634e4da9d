# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""Keep secrets out of what is shown or attached to test results.

oslo.utils knows the names of many secrets, and finds them in Python's and
JSON's forms. Here is what the files and logs of a cloud have besides.
"""

import re

from oslo_utils import strutils

MASK = '***'

# What the name of a secret has in it.
_WORDS = (r'pass(?:w(?:or)?d|phrase|code)|pwd|pswd|secret|token|cookie|'
          r'(?:[_-]pass|(?-i:Pass))(?![a-z])|'
          r'(?:db|root|user|admin|require)pass(?![a-z])|'
          r'(?:[_-]|api|access|private|session)keys?(?![\w-])|'
          r'(?:_auth|_sig|_psk)(?![\w-])|'
          r'private_?key|user_?data|credential|signature|community')
# No name is longer; without a limit, one long word would take minutes.
_NAME = r'(?<![\w.-])[\w.-]{0,100}?(?:%s)[\w.-]{0,100}' % _WORDS
_NOTHING = r'(?!(?:None|null|true|false|\*\*\*)\b)'

# In files, a value goes on to the end of the line, and in all lines below it
# that are indented further.
_LINE = re.compile(
    r'^(?P<indent>[ \t]*)(?P<name>(?:-[ ]+|export[ ]+|set[ ]+)?'
    r'(?:%s|pass|pw|kek|pin|key|psk|login)[ \t]*[=:][ \t]*)%s'
    r'(?P<value>[^\r\n]*)'
    r'(?P<more>(?:\r?\n(?P=indent)(?:[ \t]|-[ ])[^\r\n]*)*)' % (
        _NAME, _NOTHING), re.MULTILINE | re.IGNORECASE)
# Elsewhere it is quoted, however often, or ends where a word does.
_ASSIGNED = re.compile(
    r'''(?P<name>%s(?:\\*["']|%%22|%%27|&quot;)?[ \t]*
        (?:=>|[=:]|%%3[Aa]|%%3[Dd])[ \t]*)%s(?:
        [bu]?(?P<quote>["']) (?:\\.|(?!(?P=quote)).)* (?P=quote)
        | (?P<quoted>\\+["']|%%22|&quot;) (?:(?!(?P=quoted)).)* (?P=quoted)
        | \[[^]]*\] | \{[^}]*\}
        | [bu]?\\*["'][^\r\n]*
        | [^\s,;&<>)\]}'"]+ )''' % (_NAME, _NOTHING),
    re.VERBOSE | re.DOTALL | re.IGNORECASE)

# user:password@host, several of them in a URL, or in a line below it.
_URL = re.compile(r'(?P<begin>(?<![\w+.-])[\w+.-]+://|^[ \t]+)'
                  r'''(?P<rest>[^\s'"<>]+@)''', re.MULTILINE)
_USER = re.compile(r':(?!\d+/)[^@]*(?:@[^:/,@]*)*@')

_RULES = (
    # Private keys, also in one line, and cut at either end
    (re.compile(r'(-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----)'
                r'.*?(?=-----END|\Z)', re.DOTALL), r'\1' + MASK),
    (re.compile(r'\A[^-]*(?=-----END [A-Z0-9 ]*PRIVATE KEY)'), MASK),
    # Who sends a request
    (re.compile(r'''(authorization\\*["']?\s*[:=]\s*[bu]?\\*["']?
                    (?:basic|bearer|digest|negotiate|aws4-hmac-sha256)\s+)
                    [^'"\r\n\\]+''', re.VERBOSE | re.IGNORECASE),
     r'\1' + MASK),
    # Tokens of Keystone: Fernet and JWS
    (re.compile(r'gAAAA[\w=%-]{20,}'), MASK),
    (re.compile(r'\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]+'), MASK),
    # Keys of Fernet and of Ceph, whatever they are called
    (re.compile(r'(?<![\w/+-])[\w-]{43}=(?![\w=])'), MASK),
    (re.compile(r'(?<![\w/+])AQ[A-Za-z0-9+/]{36}==(?![\w=])'), MASK),
    # Hashes of passwords
    (re.compile(r'\$(?:1|2[aby]?|5|6|y|7|argon2\w*|pbkdf2-\w+)'
                r'\$[^\s:\'",]{8,}'), MASK),
    # Arguments of commands
    (re.compile(r'(--(?:[\w-]{0,100}-)?(?:pass(?:word|phrase|wd)?|secret|'
                r'''token|base64|key)[ =]+)(?!-)(?:"[^"]*"|'[^']*'|\S+)'''),
     r'\1' + MASK),
    (re.compile(r'(\brabbitmqctl\s+(?:add_user|change_password)\s+\S+\s+)'
                r'\S+'), r'\1' + MASK),
    (re.compile(r'''(\bidentified by\s+["'])[^"']*''', re.IGNORECASE),
     r'\1' + MASK),
    # Of services beside OpenStack's own
    (re.compile(r'^([ \t]*(?:requirepass|masterauth|stats auth)[ \t]+)\S+',
                re.MULTILINE), r'\1' + MASK),
    (re.compile(r'(\bdefault_pass\s*,\s*<<")[^"]*'), r'\1' + MASK),
    # Pairs, in Python and in XML
    (re.compile(r'''([(\[]\s*["']%s["']\s*,\s*)[bu]?(["']).*?\2'''
                % _NAME, re.IGNORECASE), r'\1' + MASK),
    (re.compile(r'''(\bname=["']%s["'][^<>]*>)[^<]+''' % _NAME,
                re.IGNORECASE), r'\1' + MASK),
    (re.compile(r'(<value[^>]*>)[^<]*(?=</value>\s*</secret>)'),
     r'\1' + MASK),
    (re.compile(r'''(\bmysql\w*\b[^\r\n]*?\s-p)[^\s'"]+'''), r'\1' + MASK),
    (re.compile(r'(\b(?:sshpass\b[^\r\n]*?\s-p|ipmitool\b[^\r\n]*?\s-P)\s*)'
                r'\S+'), r'\1' + MASK),
    (re.compile(r'(\bcurl\b[^\r\n]*?\s(?:-u|--user)[ =]*[^\s:]+:)'
                r'''[^\s'"]+'''), r'\1' + MASK),
    # What QEMU is given for its disks
    (re.compile(r'("qom-type":\s*"secret"[^}]*?"data":\s*")[^"]*'),
     r'\1' + MASK),
    (re.compile(r'(\bsecret,[^\s]*?\bdata=)[^,\s]+'), r'\1' + MASK),
)


def mask(text):
    """Replace passwords, tokens, keys and the like.

    :param text: any text
    :returns: the text with *** where a secret was
    """
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    text = _URL.sub(_mask_url, text)
    text = _LINE.sub(_mask_line, text)
    text = _ASSIGNED.sub(_mask_assigned, text)
    return strutils.mask_password(text, MASK)


def _mask_url(match):
    return match['begin'] + _USER.sub(':%s@' % MASK, match['rest'])


def _mask_line(match):
    if not match['value'].strip() and not match['more']:
        return match[0]
    return match['indent'] + match['name'] + MASK


def _mask_assigned(match):
    quote = match['quote'] or match['quoted'] or ''
    return match['name'] + quote + MASK + quote
