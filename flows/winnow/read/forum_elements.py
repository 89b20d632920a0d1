"""What the pages of forums show beside posts, by the names that the software of forums gives to it."""

from __future__ import annotations

from typing import Any

_BESIDE_POSTS = frozenset("""
    profile-rank post-buttons action-bar topic-actions jumpbox stat-block notice copyright signature
    message-userExtras message-userTitle message-userBanner message-signature message-lastEdit
    message-attribution-opposite reactionsBar blockStatus p-description p-title p-body-sidebar p-notices
    bbCodeBlock-expandLink u-navButtons u-scrollButtons js-notice block--similarContents block-outer xfa-gptts-block
    extraUserInfo userTitle userBanner likesSummary sharePage pageNavLinkGroup avatarHolder
    userinfo_extra usertitle rank postfoot navlinks b-userinfo__additional-info b-post-control
    ipsComment_tools cAuthorPane_info cTopicPostArea cGuestTeaser ipsSkipLink ipsQuote_expand cReactions
    ipsHide ipsDrawer_menu ipsTruncate_more ipsTopicMeta ipsRecommendedComments ipsComment_authorBadge
    topic-map crawler-linkback-list suggested-topics crawler-nav post-likes
    guest-cta-alert lastpost visually-hidden-focusable topic-main-buttons
    moderatorbar quickbuttons author_statistics post_controls
    js-voting-container votecell comments-link
""".split())  # fmt: skip
"""Classes that phpBB, XenForo, vBulletin, Invision, Discourse, NodeBB, SMF, MyBB and Stack Exchange give to it."""
_BESIDE_THREAD = frozenset(("structItem", "block-header", "contentRow-minor"))
"""Those of lists of threads, which are other threads where one is shown."""
_THREAD = "block--messages"
_PARTS = frozenset(("post/reply-count", "post/parent", "post/signature", "topic/quickreply/container"))
"""The same as NodeBB names its components."""
_FIGURES = {"dd": "postprofile", "ul": "poster"}
"""Elements with figures about an author, and the class of what has them beside the name."""


def remove_beside_posts(tree: Any) -> bool:
    """Takes out of a page's tree what stands beside posts: counts, ranks, buttons, signatures, other threads.

    Returns whether there was any.

    >>> from resiliparse.parse.html import HTMLTree
    >>> tree = HTMLTree.parse("<dl class=postprofile><dt>Ann<dd>Posts: 12</dl><p>Bees fly low.")
    >>> remove_beside_posts(tree), tree.body.text
    (True, 'AnnBees fly low.')
    """
    from resiliparse.parse.html import NodeType

    if not tree.body:
        return False
    names = _BESIDE_POSTS | (_BESIDE_THREAD if tree.body.get_elements_by_class_name(_THREAD) else frozenset())
    found = [e for e in tree.body if e.type == NodeType.ELEMENT and _is_beside(e, names)]
    for element in reversed(found):  # what is inside another one goes first
        element.decompose()
    return bool(found)


def _is_beside(element: Any, names: frozenset[str]) -> bool:
    classes = element.class_name
    if classes and not names.isdisjoint(classes.split()):
        return True
    if element.tag in _FIGURES:
        return _FIGURES[element.tag] in (element.parent.class_name or "").split()
    return element.getattr("component") in _PARTS
