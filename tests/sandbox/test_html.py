"""Formatted text, as Telegram parses it."""

import pytest
from telegram.error import BadRequest

BOLD, ITALIC = {"type": "bold"}, {"type": "italic"}


def at(kind, offset, length, **more):
    return {"type": kind, "offset": offset, "length": length, **more}


@pytest.mark.parametrize(
    ("markup", "text", "entities"),
    [
        ("<b>Hi</b> there", "Hi there", [at("bold", 0, 2)]),
        ("a &lt;b&gt; &amp; &quot;c&quot; &#65;&#x42;", 'a <b> & "c" AB', []),
        ("&copy; &nbsp", "&copy; &nbsp", []),
        # An emoji outside the basic plane is two units long.
        ("😀<b>😀</b>x", "😀😀x", [at("bold", 2, 2)]),
        ("<b>a<i>b</i></b>", "ab", [at("bold", 0, 2), at("italic", 1, 1)]),
        (
            "<strong>a</strong><em>b</em><ins>c</ins><del>d</del>",
            "abcd",
            [at("bold", 0, 1), at("italic", 1, 1), at("underline", 2, 1), at("strikethrough", 3, 1)],
        ),
        ('<span class="tg-spoiler">x</span>', "x", [at("spoiler", 0, 1)]),
        (
            '<a href="https://example.org/?a=1&amp;b=2">here</a>',
            "here",
            [at("text_link", 0, 4, url="https://example.org/?a=1&b=2")],
        ),
        ('<pre><code class="language-python">x = 1</code></pre>', "x = 1", [at("pre", 0, 5, language="python")]),
        ("<pre>x</pre><code>y</code>", "xy", [at("pre", 0, 1), at("code", 1, 1)]),
        ("<blockquote expandable>q</blockquote>", "q", [at("expandable_blockquote", 0, 1)]),
        ("<B>case</B>", "case", [at("bold", 0, 4)]),
        ("  <b> x </b>  ", "x", [at("bold", 0, 1)]),
        ("<b></b>x", "x", []),
        ("<b>x</>", "x", [at("bold", 0, 1)]),
        (
            "see https://example.org/a, or /help",
            "see https://example.org/a, or /help",
            [at("url", 4, 21), at("bot_command", 30, 5)],
        ),
        ("<code>/help</code>", "/help", [at("code", 0, 5)]),
        (
            "mail ada@example.org or @waypoint_bot #tag",
            "mail ada@example.org or @waypoint_bot #tag",
            [at("email", 5, 15), at("mention", 24, 13), at("hashtag", 38, 4)],
        ),
        ("and/or 3/4 days", "and/or 3/4 days", []),
    ],
)
async def test_html_becomes_text_and_entities(api, ada, markup, text, entities):
    message = (await api("sendMessage", chat_id=ada, text=markup, parse_mode="HTML"))["result"]
    assert (message["text"], message.get("entities", [])) == (text, entities)


@pytest.mark.parametrize(
    ("markup", "refusal"),
    [
        ("<b>x", 'Can\'t find end tag corresponding to start tag "b"'),
        ("é<x>y</x>", 'Unsupported start tag "x" at byte offset 2'),
        ("pain < 3", 'Unsupported start tag "" at byte offset 5'),
        ("pain <3", "Unclosed start tag at byte offset 5"),
        ("x</b>", "Unexpected end tag at byte offset 1"),
        ("<b>x</i>", 'Unmatched end tag at byte offset 4, expected "</b>", found "</i>"'),
        ("<b>x</b", "Unclosed end tag at byte offset 4"),
        ('<span class="big">x</span>', 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
        ("<a href>x</a>", 'Expected equal sign in declaration of an attribute of the tag "a" at byte offset 0'),
        ('<a href="x>y</a>', "Unclosed start tag at byte offset 0"),
        ("<a href=a$b>y</a>", "Unexpected end of name token at byte offset 8"),
    ],
)
async def test_html_that_does_not_parse_is_refused_with_its_place(bot, ada, markup, refusal):
    with pytest.raises(BadRequest) as error:
        await bot.send_message(ada, markup, parse_mode="HTML")
    # The client library lowers the case of what Telegram says.
    assert str(error.value).lower() == f"can't parse entities: {refusal}".lower()


async def test_text_is_limited_after_parsing(bot, ada):
    assert (await bot.send_message(ada, f"<b>{'x' * 4096}</b>", parse_mode="HTML")).text == "x" * 4096
    with pytest.raises(BadRequest, match="Message is too long"):
        await bot.send_message(ada, "x" * 4097)
    with pytest.raises(BadRequest, match="Message is too long"):
        await bot.send_message(ada, "😀" * 2049)


@pytest.mark.parametrize("text", ["   ", "<b> </b>", "\n"])
async def test_empty_text_is_refused(bot, ada, text):
    with pytest.raises(BadRequest, match="Message text is empty"):
        await bot.send_message(ada, text, parse_mode="HTML")


async def test_captions_are_limited_to_1024(bot, ada):
    await bot.send_document(ada, b"x", caption="y" * 1024)
    with pytest.raises(BadRequest, match="Message caption is too long"):
        await bot.send_document(ada, b"x", caption="y" * 1025)


async def test_entities_given_one_by_one_are_kept_and_checked(api, ada):
    entities = [at("bold", 0, 2)]
    message = (await api("sendMessage", chat_id=ada, text="Hi there", entities=entities))["result"]
    assert message["entities"] == entities
    refused = await api("sendMessage", chat_id=ada, text="Hi", entities=[at("bold", 0, 9)])
    assert "ends after the end of the text" in refused["description"]


async def test_a_parse_mode_that_is_missing_says_so(api, ada):
    refused = await api("sendMessage", chat_id=ada, text="*x*", parse_mode="MarkdownV2")
    assert refused["description"] == ("Bad Request: parse_mode MarkdownV2 is not implemented by the sandbox; use HTML")
